import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { availability, gaps } from "../../../report/live/availability";
import { API_ADDRESS, type Line, LineFile, readSeries, type Sample } from "../../../report/live/series";

const BEGIN = Date.parse("2026-11-24T12:00:00Z");
const at = (seconds: number) => new Date(BEGIN + seconds * 1000).toISOString();
const good = (target: string, seconds: number, ms = 10): Sample => ({ at: at(seconds), target, ms });
const bad = (target: string, seconds: number): Sample => ({ at: at(seconds), target, error: "ECONNREFUSED" });
const of = (...lines: Line[]) => availability(1, lines);

describe("report/live/availability", () => {
  it("measures a gap from the last good answer to the next one", () => {
    const { targets } = of(good("a", 0), bad("a", 1), bad("a", 2), good("a", 3, 500), bad("a", 4));
    assert.deepEqual(targets[0]?.longestGap, { seconds: 3.5, from: at(0.01) });
    assert.deepEqual([targets[0]?.samples, targets[0]?.missing], [5, 3]);
  });

  it("counts one that never answered for as long as it was asked", () => {
    assert.deepEqual(of(bad("a", 0), bad("a", 5)).targets[0]?.longestGap, { seconds: 5, from: at(0) });
    assert.equal(of(bad("a", 0)).targets[0]?.p99Ms, undefined);
  });

  it("says that all servers were away only for the time in which each was; the common address is none", () => {
    const a = [good("a", 0), bad("a", 1), bad("a", 2), good("a", 3)];
    const b = [good("b", 0.5), good("b", 1.5), bad("b", 2.5), bad("b", 3.5), good("b", 4.5)];
    const vip = [good(API_ADDRESS, 0), bad(API_ADDRESS, 1), good(API_ADDRESS, 9)];
    assert.deepEqual(of(...a, ...b, ...vip).anyServer, { seconds: 1.5, from: at(1.51) });
    assert.deepEqual(of(...a, good("b", 0.5), good("b", 1.5), good("b", 2.5)).anyServer, { seconds: 0 });
    assert.equal(of(...vip).anyServer, undefined);
  });

  it("tells how long the watch itself was away, and what it could not ask", () => {
    const found = of({ at: at(0), note: "no kubeconfig yet" }, good("a", 1), good("a", 31), {
      at: at(32),
      podsNotRunning: 4,
    });
    assert.deepEqual([found.unwatchedSeconds, found.notes], [30, ["no kubeconfig yet"]]);
    assert.deepEqual(found.podsNotRunning, { samples: 1, most: 4 });
  });

  it("gives latencies that were measured", () => {
    const { targets } = of(...Array.from({ length: 100 }, (_, i) => good("a", i, i + 1)));
    assert.deepEqual([targets[0]?.p50Ms, targets[0]?.p99Ms], [50, 99]);
  });

  const series = fc
    .array(fc.record({ good: fc.boolean(), ms: fc.integer({ min: 0, max: 1000 }) }), { maxLength: 30 })
    .map(
      (answers) => (name: string) =>
        answers.map((one, i) => (one.good ? good(name, i, one.ms) : bad(name, i))),
    );

  it("is the same in any order; all at once is no longer than any server's own; no gap where all is good", () => {
    fc.assert(
      fc.property(series, series, (a, b) => {
        const lines = [...a("a"), ...b("b")];
        const { targets, anyServer } = of(...lines);
        const longest = targets.map(({ longestGap }) => longestGap.seconds);
        if (targets.length === 2) assert.ok((anyServer?.seconds ?? 0) <= Math.min(...longest));
        for (const one of targets)
          assert.equal(one.missing === 0, one.longestGap.seconds === 0 && one.longestGap.from === undefined);
        assert.deepEqual(of(...[...lines].reverse()).anyServer, anyServer);
      }),
    );
  });

  it("has gaps in order, none touching the next, each with an answer that failed", () => {
    fc.assert(
      fc.property(series, (a) => {
        const found = gaps(a("a"));
        for (const [i, { from, to }] of found.entries()) {
          assert.ok(from <= to && (i === 0 || from >= (found[i - 1]?.to ?? 0)));
        }
      }),
    );
  });
});

describe("report/live/series", () => {
  const folder = mkdtempSync(join(tmpdir(), "series-"));
  after(() => rmSync(folder, { recursive: true }));

  it("is read as it was written, in order; a last line that a kill cut short says nothing", async () => {
    const file = new LineFile(join(folder, "a.jsonl"), (error) => assert.fail(String(error)));
    const lines: Line[] = [
      good("a", 0),
      bad("a", 1),
      { at: at(2), podsNotRunning: 0 },
      { at: at(3), note: "n" },
    ];
    for (const line of lines) file.append(line);
    await file.done();
    assert.deepEqual(await readSeries(file.file), lines);
    writeFileSync(file.file, '{"at":"2026-11-24T12', { flag: "a" });
    assert.deepEqual(await readSeries(file.file), lines);
    assert.deepEqual(await readSeries(join(folder, "none")), []);
    writeFileSync(file.file, '{"at":"yesterday","target":"a"}\n');
    await assert.rejects(readSeries(file.file), /a\.jsonl line 1 cannot be read: it was edited\. next: /);
  });

  it("tells once that it cannot be written, and goes on", async () => {
    const faults: unknown[] = [];
    const file = new LineFile(join(folder, "no", "such", "folder"), (error) => faults.push(error));
    file.append(good("a", 0));
    file.append(good("a", 1));
    await file.done();
    assert.equal(faults.length, 1);
  });
});
