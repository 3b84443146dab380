/** How a run stands, as the terminal and the page show it. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { PassThrough } from "node:stream";
import fc from "fast-check";
import { HtmlValidate } from "html-validate";
import { Screen } from "../../../report/live/screen";
import { statusSchema } from "../../../report/live/status";
import { serveStatus, statusPage } from "../../../report/live/statusPage";
import { statusPortOf } from "../../../report/live/statusPort";
import { lines } from "../../../report/live/terminal";
import { settingsOf } from "../fixtures";
import { statusAt } from "./statusFixture";

const status = statusAt();
const [first, second, third] = settingsOf().servers.map(({ name }) => name);

describe("report/live/status", () => {
  it("is read again as it was written", () => {
    assert.deepEqual(
      statusSchema.parse(JSON.parse(JSON.stringify(status))),
      JSON.parse(JSON.stringify(status)),
    );
  });

  it("knows each node: done with what it took, at work with its step, waiting", () => {
    const [a, b, c] = status.nodes;
    assert.deepEqual([a?.state, b?.state, c?.state], ["done", "at work", "waiting"]);
    assert.deepEqual([b?.step?.id, b?.step?.elapsedSeconds], [`${second}-restart`, 30]);
    assert.ok((a?.elapsedSeconds ?? 0) > 0);
    assert.equal(c?.elapsedSeconds, undefined);
  });

  it("says why it does not know", () => {
    const nothing = statusAt({
      watched: { latest: new Map(), pods: { missing: "no API server answers" } },
      snapshotTakenAt: undefined,
    });
    const text = lines(nothing, 200, 60).join("\n");
    assert.match(text, /API not measured: not asked yet/);
    assert.match(text, /pods not running: not measured: no API server answers/);
    assert.match(text, /no etcd snapshot off its node yet; the objective is 15 min/);
  });
});

describe("report/live/terminal", () => {
  it("shows what matters: nodes, API, gaps, etcd, pods, and what is next if it fails now", () => {
    const text = lines(status, 400, 60).join("\n");
    for (const shown of [
      new RegExp(`✔ ${first} +done`),
      new RegExp(`▶ ${second} +at work .*move etcd's leadership away, restart \\(30 s of about`),
      new RegExp(`· ${third} +waiting`),
      new RegExp(`API ${first} +12 ms · longest gap none · etcd ok`),
      new RegExp(`API ${second} +no good answer: ECONNREFUSED · longest gap 20 s · etcd not measured`),
      /all servers away at once: none/,
      /pods not running: 1: lab\/api CrashLoopBackOff/,
      /if it fails now: the latest etcd snapshot is 20 min old, older than it should be; the objective is 15 min; window: closed/,
      /it stops at /,
      /goBack\.strategy' restore/,
    ])
      assert.match(text, shown);
  });

  it("fits any terminal, and moves no cursor", () => {
    const hostile = statusAt({
      watched: { latest: new Map(), pods: { notRunning: ["lab/\u001b[2J\u0007x\ny Pending"] } },
    });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: 80 }), (columns, rows) => {
        const shown = lines(hostile, columns, rows);
        assert.ok(shown.length <= Math.max(1, rows - 1));
        for (const line of shown) {
          assert.ok([...line].length <= Math.max(2, columns));
          assert.ok([...line].every((letter) => letter >= " "));
        }
      }),
    );
  });

  it("keeps the nodes at work on a screen that has no room for all", () => {
    const nodes = Array.from({ length: 300 }, (_, i) => ({
      ...(status.nodes[i === 250 ? 1 : 0] as (typeof status.nodes)[number]),
      name: `n${i}`,
    }));
    const text = lines({ ...status, nodes }, 200, 24).join("\n");
    assert.match(text, /▶ n250 /);
    assert.match(text, /and \d+ more nodes, 299 of all 300 done/);
    assert.match(text, /if it fails now/);
  });
});

describe("report/live/screen", () => {
  it("writes every byte of the log in its order, whatever it draws below", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.string(), fc.boolean())), (parts) => {
        const out = new PassThrough();
        const screen = new Screen(out);
        let text = "";
        for (const [part, ends] of parts) {
          const said = `${part.replaceAll("\u001b", "")}${ends ? "\n" : ""}`;
          text += said;
          screen.above(said);
          screen.below(["<below>"]);
        }
        screen.end();
        const written = String(out.read() ?? "");
        // biome-ignore lint/suspicious/noControlCharactersInRegex: the terminal's own sequences
        const kept = written.replaceAll("<below>\n", "").replace(/\u001b\[\d*[A-Z]/g, "");
        assert.equal(kept, text === "" || text.endsWith("\n") ? text : `${text}\n`);
      }),
    );
  });
});

describe("report/live/statusPort", () => {
  it("takes a port for a run that is to begin, and says what one is", () => {
    const of = (statusPort?: string, more = {}) => statusPortOf({ statusPort, ...more });
    assert.deepEqual([of(), of("0"), of("8080")], [undefined, 0, 8080]);
    for (const bad of ["", "x", "80", "-1", "65536", "1e4", "8080 "])
      assert.throws(() => of(bad), /is no port.*next: 1024 to 65535/, bad);
    assert.throws(() => of("0", { attach: true }), /for a run that is to begin.*next: /);
    assert.equal(of(undefined, { attach: true }), undefined);
  });
});

describe("report/live/statusPage", () => {
  const get = async (url: string, init: RequestInit = {}) => {
    const answer = await fetch(url, init);
    return {
      code: answer.status,
      type: answer.headers.get("content-type") ?? "",
      text: await answer.text(),
      headers: answer.headers,
    };
  };

  it("is valid HTML with no outside reference", async () => {
    const page = await statusPage(status);
    const validator = new HtmlValidate({ root: true, extends: ["html-validate:standard"] });
    const { results } = await validator.validateString(page);
    assert.deepEqual(
      results.flatMap(({ messages }) => messages.map(({ message }) => message)),
      [],
    );
    for (const [, link] of page.matchAll(/(?:href|src)="([^"]*)"/g)) assert.match(link ?? "", /^#/);
  });

  it("serves the page and its data to this machine, and can do nothing", async () => {
    let now: typeof status | undefined;
    const server = await serveStatus(0, () => now);
    try {
      assert.match(server.url, /^http:\/\/127\.0\.0\.1:\d+\/$/);
      assert.equal((await get(server.url)).code, 503);
      now = status;
      const page = await get(server.url);
      assert.deepEqual([page.code, page.type], [200, "text/html; charset=utf-8"]);
      assert.match(
        page.headers.get("content-security-policy") ?? "",
        /default-src 'none'.*script-src 'sha256-/,
      );
      assert.deepEqual(
        JSON.parse((await get(`${server.url}status.json`)).text),
        JSON.parse(JSON.stringify(status)),
      );
      assert.equal((await get(`${server.url}other`)).code, 404);
      assert.equal((await get(server.url, { method: "POST" })).code, 405);
      // By a name that a stranger's page has made point here.
      const asked = request(server.url, { headers: { host: "evil.example" } }).end();
      const [answer] = (await once(asked, "response")) as [IncomingMessage];
      assert.equal(answer.statusCode, 403);
      answer.resume();
    } finally {
      server.close();
    }
    await assert.rejects(fetch(server.url));
  });
});
