/** A whole run in its own session: a stand-in for the engine, real API servers on this machine, one of which goes away. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import type { WriteStream } from "node:tty";
import { stringify } from "yaml";
import { parseSettings } from "../../../config";
import { until } from "../../../rehearsal/machines/poll";
import { writeRecords } from "../../../report/chain";
import { planFiles, readReport } from "../../../report/files";
import { readSeries } from "../../../report/live/series";
import { show } from "../../../report/live/show";
import { readStatus, type Status } from "../../../report/live/status";
import { programFiles } from "../../../report/program";
import { createRun, lives, nextRun } from "../../../report/runFiles";
import { begin } from "../../../report/session";
import { verify } from "../../../report/verify";
import { lab, labNodes } from "../../config/lab";
import { historyEntry, inputsOf, planned, runAt, stateOf, TO } from "../fixtures";
import { StandInPulumi } from "../standInPulumi";
import { ApiServers } from "./apiServers";

const VIP = "127.66.2.100";
const SECRET = "the-secret-of-this-test";

describe("report/live: a whole run", function () {
  this.timeout(120_000);
  const folder = mkdtempSync(join(tmpdir(), "live-session-"));
  const directory = mkdtempSync(join(folder, "change-"));
  const configFile = join(folder, "Pulumi.lab.yaml");
  const nodes = labNodes.map((node, i) => ({ ...node, address: `127.66.2.${i + 1}` }));
  const raw = lab({ rke2Version: TO, changeId: "CR-1", nodes, apiAddress: VIP });
  const settings = parseSettings(raw);
  const plan = planned(settings, { files: programFiles() });
  const [first = "", second = ""] = settings.servers.map(({ name }) => name);
  const pulumi = new StandInPulumi();
  let servers: ApiServers;

  before(async () => {
    servers = new ApiServers();
    for (const { address } of settings.servers) await servers.start(address);
    await servers.start(VIP);
    const config = Object.entries(raw).map(([key, value]) => [`rke2-upgrade:${key}`, value]);
    writeFileSync(configFile, stringify({ config: Object.fromEntries(config) }));
    const enforced = {
      what: "Pulumi's plan",
      file: "change.plan.json",
      content: inputsOf(settings).preview.plan,
    };
    await writeRecords(directory, [enforced, ...(await planFiles(plan))]);
    const spoken = plan.steps
      .slice(0, plan.steps.findIndex(({ id }) => id === `${second}-install`) + 1)
      .flatMap(({ id }, i, all) => {
        const type = "command:remote:Command";
        const metadata = {
          op: "create",
          urn: `urn:pulumi:lab::rke2-upgrade::${type}::${id}`,
          type,
          new: { inputs: { stdin: SECRET } },
        };
        const end = i === all.length - 1 ? "resOpFailedEvent" : "resOutputsEvent";
        const at = Math.floor(Date.now() / 1000);
        return [
          { sequence: i, timestamp: at, resourcePreEvent: { metadata } },
          { sequence: i, timestamp: at, [end]: { metadata } },
        ];
      });
    pulumi.answer({
      ...{ state: stateOf(settings, { count: 30 }), history: [historyEntry(settings, 0, "failed")], code: 1 },
      config: { "rke2-upgrade:kubeconfig": servers.kubeconfig(VIP) },
      events: spoken,
    });
  });
  after(async () => {
    pulumi.remove();
    await servers.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  it("is watched, told, shown and kept: the gap that was made is the gap in the report", async () => {
    const run = await nextRun(directory);
    await createRun(run, {
      ...runAt(0),
      digest: plan.digest.value,
      endedAt: undefined,
      code: undefined,
      errors: [],
    });
    await begin(run, {
      ...{ plan: "change.plan.json", stack: "lab", directory, configFile, changeId: "CR-1" },
      statusPort: 0,
    });
    const said = () => readFileSync(run.log, "utf8");
    await until("the status page", 30, async () => /status page: http/.test(said()));
    const url = /status page: (\S+)/.exec(said())?.[1] ?? "";
    let status: Status | undefined;
    const shows = async (what: (now: Status) => boolean) => {
      const deadline = Date.now() + 30_000;
      for (;;) {
        status = await readStatus(run.status).catch(() => undefined);
        if (status && what(status)) return;
        assert.ok(Date.now() < deadline, `${JSON.stringify(status)}\n${said()}`);
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    };
    const terminal = Object.assign(new PassThrough(), { isTTY: true, columns: 160, rows: 40 });
    const shown = show(run, terminal as unknown as WriteStream);
    const gone = settings.servers[1]?.address ?? "";
    const answers = ({ api }: Status, name: string) =>
      api.find(({ target }) => target === name)?.ms !== undefined;
    await shows((now) => now.api.length === settings.servers.length + 1 && now.nodes[1]?.state === "failed");
    assert.equal(status?.nodes[0]?.state, "done");

    await servers.stop(gone);
    const from = Date.now();
    await shows((now) => !answers(now, second) && answers(now, first));
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    const away = (Date.now() - from) / 1000;
    await servers.start(gone);
    await shows((now) => answers(now, second));
    const page = await fetch(url);
    assert.match(await page.text(), /<h1>CR-1, run 1<\/h1>/);
    assert.equal(((await (await fetch(`${url}status.json`)).json()) as Status).run, 1);

    // Who looks on may go: an interrupt there is none here.
    const attach = `require("ts-node/register/transpile-only"); require("./report/session").attach(${JSON.stringify(directory)})`;
    const looker = spawn(process.execPath, ["-e", attach], { stdio: ["ignore", "pipe", "inherit"] });
    await once(looker.stdout, "data");
    looker.kill("SIGINT");
    await once(looker, "exit");
    assert.ok(await lives(run));

    pulumi.letGo();
    assert.equal(await shown, 1, said());
    const drawn = String(terminal.read());
    assert.match(drawn, /status page: .*if it fails now: .*error: it broke/s);
    assert.match(drawn, new RegExp(`✖ ${second} +failed`));
    assert.match(drawn, new RegExp(`API ${second} +no good answer: ECONNREFUSED`));

    const report = await readReport(directory);
    const [watched] = report?.availability ?? [];
    const gap = (name: string) =>
      watched?.targets.find(({ target }) => target === name)?.longestGap.seconds ?? -1;
    assert.ok(gap(second) >= away, `${JSON.stringify(watched)} ${away}`);
    assert.deepEqual([gap(first), watched?.anyServer?.seconds], [0, 0]);
    assert.match(JSON.stringify(report?.statements), /API: longest gap of one target \d/);
    assert.match(readFileSync(join(directory, "report.md"), "utf8"), /## API availability/);

    const events = readFileSync(run.events, "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    assert.deepEqual(
      events.map(({ kind, node }) => [kind, node]),
      [
        ["start", undefined],
        ["nodeDone", first],
        ["failed", second],
      ],
    );
    assert.match(events[2].text, /-install: x \(y\): it broke; next: /);
    assert.ok((await readSeries(run.watch)).length > 3 * settings.servers.length);
    assert.ok(!existsSync(run.status));

    // All of it is in the chain, and none of it is secret: neither what a step is sent nor what the watch proves itself by.
    assert.deepEqual((await verify(directory)).faults, []);
    const key = /client-key-data: (\S+)/.exec(servers.kubeconfig(VIP))?.[1] ?? "";
    for (const file of [
      run.log,
      run.events,
      run.watch,
      join(directory, "evidence.json"),
      join(directory, "report.html"),
    ]) {
      const text = readFileSync(file, "utf8");
      for (const never of [SECRET, key, Buffer.from(key, "base64").toString()])
        assert.ok(!text.includes(never), file);
    }
    writeFileSync(run.watch, readFileSync(run.watch, "utf8").replace("ECONNREFUSED", "ECONNRESET"));
    assert.deepEqual((await verify(directory)).faults, ["run-1.watch.jsonl: it was edited"]);
  });
});
