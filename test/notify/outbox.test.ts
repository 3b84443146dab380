/** The outbox against a receiver that fails in every way a receiver can. */
import assert from "node:assert/strict";
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import type { Settings } from "../../config";
import { appendLine, linesOf, NOTIFICATIONS_FILE, owed, readLines, tellings } from "../../notify/log";
import type { Line } from "../../notify/message";
import { notifier } from "../../notify/notifier";
import type { Patience } from "../../notify/outbox";
import type { RunEvent } from "../../report/live/event";
import { settingsOf } from "../report/fixtures";
import { HookReceiver, type Manner } from "./receivers";

const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const FAST: Patience = { pausesMs: [5, 5], tryMs: 300 };

const event = (kind: RunEvent["kind"], text = "RKE2 v1 → v2; next: nothing"): RunEvent => ({
  at: "2026-11-29T01:00:00.000Z",
  kind,
  changeId: "CR-1",
  ...(kind === "nodeDone" && { node: "proj-k8sm01" }),
  text,
});

describe("notify: the outbox, by webhook", () => {
  let receiver: HookReceiver;
  let settings: Settings;
  let directory = "";
  beforeEach(async () => {
    receiver = new HookReceiver(SECRET);
    settings = settingsOf({ notifications: { webhook: { url: await receiver.start() } } });
    directory = mkdtempSync(join(tmpdir(), "notify-test-"));
  });
  afterEach(() => {
    receiver.stop();
    rmSync(directory, { recursive: true });
  });

  /** What becomes of these events, one after the other, when the receiver behaves so. */
  async function told(kinds: RunEvent["kind"][], manners: Manner[], withinMs = 10_000) {
    receiver.manners = manners;
    const notify = notifier(settings, directory, { webhookSecret: SECRET }, FAST);
    for (const kind of kinds) notify(event(kind));
    await notify.settled(withinMs);
    return tellings(readLines(directory));
  }
  const kindsReceived = () => receiver.received.map(({ body }) => body.kind);

  it("delivers each once and in order, signed so that the standard's own library verifies it", async () => {
    const all = await told(["start", "nodeDone", "done"], []);
    assert.deepEqual(kindsReceived(), ["start", "nodeDone", "done"]);
    assert.deepEqual(receiver.forged, []);
    assert.deepEqual(
      all.map(({ outcome, tries }) => [outcome, tries]),
      [
        ["delivered", 1],
        ["delivered", 1],
        ["delivered", 1],
      ],
    );
    const [first] = receiver.received;
    assert.equal(first?.body.id, first?.headers["webhook-id"]);
    assert.equal(first?.body.changeId, "CR-1");
    assert.equal(receiver.received[1]?.body.node, "proj-k8sm01");
  });

  it("tries again after a 500, a hang and a closed connection, the same message by its ID", async () => {
    const [one] = await told(["start"], [500, "close"]);
    assert.deepEqual([one?.outcome, one?.tries], ["delivered", 3]);
    const [two] = (await told(["held"], ["hang"])).slice(1);
    assert.deepEqual([two?.outcome, two?.tries], ["delivered", 2]);
    const failures = readLines(directory).filter(({ outcome }) => outcome === "failed") as {
      detail: string;
    }[];
    assert.match(failures[0]?.detail ?? "", /it answered 500: no: ‹secret›/);
    assert.match(failures[2]?.detail ?? "", /no answer within 0.3 s/);
  });

  it("gives up after its tries, says why, and keeps the order for the next time", async () => {
    const all = await told(["start"], [503, 503, 503]);
    assert.deepEqual(
      all.map(({ outcome, tries }) => [outcome, tries]),
      [["not delivered", 3]],
    );
    assert.match(all[0]?.detail ?? "", /503/);
    // The next command: a new process, which finds what is owed.
    const later = await told(["done"], []);
    assert.deepEqual(kindsReceived(), ["start", "done"]);
    assert.deepEqual(
      later.map(({ outcome }) => outcome),
      ["delivered", "delivered"],
    );
  });

  it("sends nothing past a message that is still owed", async () => {
    const [start, done] = await told(["start", "done"], Array(20).fill(503));
    assert.ok((start?.tries ?? 0) >= 3);
    assert.deepEqual([start?.outcome, done?.outcome, done?.tries], ["not delivered", "not delivered", 0]);
  });

  it("takes a message that the receiver will never take for refused, and goes on with the next", async () => {
    const all = await told(["start", "done"], [422]);
    assert.deepEqual(
      all.map(({ outcome, tries }) => [outcome, tries]),
      [
        ["refused", 1],
        ["delivered", 1],
      ],
    );
  });

  it("returns at once while a receiver hangs, and ends when it is told to", async () => {
    receiver.manners = Array(9).fill("hang");
    const slow = { pausesMs: [60_000], tryMs: 60_000 };
    const notify = notifier(settings, directory, { webhookSecret: SECRET }, slow);
    notify(event("start"));
    assert.deepEqual(
      tellings(readLines(directory)).map(({ outcome }) => outcome),
      ["not delivered"],
    );
    await notify.settled(50);
    const [one] = tellings(readLines(directory));
    assert.match(one?.detail ?? "", /the run ended before an answer came/);
    assert.equal(receiver.received.length, 0);
  });

  it("sends again what was sent but not marked when it was killed, under the same ID", async () => {
    await told(["start"], []);
    const file = join(directory, NOTIFICATIONS_FILE);
    const [queued = ""] = readFileSync(file, "utf8").split("\n");
    // The mark is lost: half a line is all that a kill left of it.
    rmSync(file);
    appendFileSync(file, `${queued}\n{"at":"2026-11-29T01:00:0`);
    const all = await told(["done"], []);
    assert.deepEqual(kindsReceived(), ["start", "start", "done"]);
    assert.equal(receiver.received[0]?.body.id, receiver.received[1]?.body.id);
    assert.deepEqual(
      all.map(({ outcome }) => outcome),
      ["delivered", "delivered"],
    );
  });

  it("goes on where the folder cannot be written or the secret is missing", async () => {
    const notify = notifier(settings, join(directory, "gone"), { webhookSecret: SECRET }, FAST);
    const { error } = console;
    let said = "";
    console.error = (text: string) => {
      said += text;
    };
    notify(event("start"));
    await notify.settled(1000);
    console.error = error;
    assert.match(said, /nobody was told "start": .*ENOENT/);
    const unset = notifier(settings, directory, {}, FAST);
    unset(event("start"));
    await unset.settled(1000);
    assert.match(tellings(readLines(directory))[0]?.detail ?? "", /webhookSecret is not set. next: /);
  });

  it("sends only the kinds that the channel wants, and only this machine's errors without its secret", async () => {
    const { webhook } = settings.notifications;
    settings = settingsOf({ notifications: { webhook: { ...webhook, events: ["failed"] } } });
    await told(["start", "failed", "done"], [500, 500, 500]);
    assert.equal(tellings(readLines(directory)).length, 1);
    assert.doesNotMatch(readFileSync(join(directory, NOTIFICATIONS_FILE), "utf8"), /MfKQ9r8GKYq/);
  });
});

describe("notify: its log", () => {
  const message = (id: string) => ({
    id,
    kind: "start" as const,
    at: "a",
    changeId: "CR-1",
    subject: "s",
    text: "t",
  });
  const queued = (id: string): Line => ({
    ...{ at: "a", channel: "smtp", id, kind: "start", outcome: "queued" },
    ...{ message: message(id) },
  });
  const tried = (id: string, outcome: "delivered" | "failed" | "refused"): Line =>
    ({ at: "b", channel: "smtp", id, kind: "start", outcome, detail: "d" }) as Line;

  it("owes every message that was neither delivered nor refused, the oldest first, whatever came in between", () => {
    const outcome = fc.constantFrom("delivered", "failed", "refused", undefined);
    fc.assert(
      fc.property(fc.array(outcome), (outcomes) => {
        const lines = outcomes.flatMap((one, i) => [queued(`m${i}`), ...(one ? [tried(`m${i}`, one)] : [])]);
        const expected = outcomes.flatMap((one, i) =>
          one === "delivered" || one === "refused" ? [] : [`m${i}`],
        );
        assert.deepEqual(
          owed(lines, "smtp").map(({ id }) => id),
          expected,
        );
        assert.deepEqual(owed(lines, "glpi"), []);
      }),
    );
  });

  it("reads what a kill at any byte has left, and goes on after it", () => {
    const text = [queued("m1"), tried("m1", "failed"), queued("m2")]
      .map((line) => `${JSON.stringify(line)}\n`)
      .join("");
    const directory = mkdtempSync(join(tmpdir(), "notify-log-"));
    const file = join(directory, NOTIFICATIONS_FILE);
    for (const length of [
      0,
      1,
      40,
      text.indexOf("\n"),
      text.indexOf("\n") + 1,
      text.length - 1,
      text.length,
    ]) {
      rmSync(file, { force: true });
      appendFileSync(file, text.slice(0, length));
      const before = linesOf(text.slice(0, length)).length;
      appendLine(directory, queued("m3"));
      const after = readLines(directory);
      assert.equal(after.length, before + 1, `cut at ${length}`);
      assert.equal(after.at(-1)?.id, "m3");
    }
    rmSync(directory, { recursive: true });
  });

  it("takes no line for its own that is not", () => {
    assert.throws(() => linesOf('{"outcome":"delivered"}\n'), /line 1 is not what was written there. next: /);
  });
});
