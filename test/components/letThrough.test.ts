import assert from "node:assert/strict";
import { isLetThrough, type LetThrough, letThrough, movedByHand } from "../../components/letThrough";
import { parseSettings } from "../../config";
import type { ReleaseFacts, Releases } from "../../observe";
import { lab } from "../config/lab";

const OLD = "v1.2.2";
const NEW = "v1.2.3";

const settings = (changes: object = {}) =>
  parseSettings(
    lab({
      operators: [
        { name: "cert", namespace: "ns", chart: "cert.tgz", version: NEW, when: "before", ...changes },
      ],
    }),
  );
const releases = (revision: number, version: string, changes: Partial<ReleaseFacts> = {}): Releases =>
  new Map([["ns/cert", { revision, status: "deployed", chart: "cert", version, ...changes }]]);
const nobody = new Set<string>();
const first = (live: Releases): LetThrough => letThrough(settings(), live, {}, nobody);
const names = (live: Releases, before: LetThrough, asked = settings()) =>
  movedByHand(asked, live, before).map(({ name }) => name);

describe("components/letThrough", () => {
  const before = first(releases(1, OLD));

  it("knows what was moved by hand after it had become as asked for", () => {
    // 1: before, 2: as asked for, 3: rolled back.
    assert.deepEqual(names(releases(3, OLD, { replaced: 2 }), before), ["cert"]);
    assert.deepEqual(names(releases(2, "v1.2.4", { replaced: 1 }), first(new Map())), ["cert"]);
  });

  it("lets one whose turn has not come, that failed, or that was killed be moved again", () => {
    assert.deepEqual(names(releases(1, OLD), before), []);
    assert.deepEqual(names(releases(2, NEW, { status: "failed" }), before), []);
    // 2 was killed, and was never deployed; 3 is the way back to 1.
    const rolledBack = releases(3, OLD, { replaced: 1 });
    assert.deepEqual(names(rolledBack, before), []);
    // And once more: 4 was killed, 5 is the way back to 3.
    const again = letThrough(settings(), rolledBack, before, nobody);
    assert.deepEqual(names(releases(5, OLD, { replaced: 3 }), again), []);
  });

  it("knows what failed by hand on top of what was asked for, and not what failed on the way there", () => {
    const failed = (revision: number, onto: number, version = NEW) =>
      releases(revision, NEW, { status: "failed", deployed: { revision: onto, version } });
    // 1: before, 2: as asked for, 3: failed. Pulumi has no more work on it.
    assert.deepEqual(names(failed(3, 2), before), ["cert"]);
    assert.deepEqual(names(failed(2, 1, OLD), before), []);
    // 2 failed, 3 is the way back to 1, 4 failed again.
    assert.deepEqual(names(failed(4, 3, OLD), before), []);
    // As asked for at first: other values failed on it, or it failed after it had come.
    const atOnce = first(releases(7, NEW, { replaced: 6 }));
    assert.deepEqual(names(failed(8, 7), atOnce), []);
    assert.deepEqual(names(failed(9, 8), atOnce), ["cert"]);
    // Let through before its own revision was kept.
    const { digest = "", since = 0 } = before.cert ?? {};
    assert.deepEqual(names(failed(3, 2), { cert: { digest, since } }), []);
  });

  it("keeps what it knew while others are not done, also of one that was as asked for at first", () => {
    const meanwhile = letThrough(settings(), releases(2, NEW, { replaced: 1 }), before, nobody);
    assert.deepEqual(names(releases(3, OLD, { replaced: 2 }), meanwhile), ["cert"]);
    const atOnce = first(releases(7, NEW, { replaced: 6 }));
    assert.deepEqual(names(releases(8, OLD, { replaced: 7 }), atOnce), ["cert"]);
  });

  it("knows nothing of one that is asked for otherwise now, or never was let through", () => {
    const asked = settings({ values: { a: 1 } });
    assert.deepEqual(names(releases(3, OLD, { replaced: 2 }), before, asked), []);
    assert.deepEqual(names(releases(3, OLD, { replaced: 2 }), {}), []);
  });

  it("tells what was let through as it is asked for now from what was not, or is asked for otherwise", () => {
    const of = (asked: ReturnType<typeof settings>, known: LetThrough) =>
      asked.operators.map((operator) => isLetThrough(operator, known));
    assert.deepEqual(of(settings(), before), [true]);
    assert.deepEqual(of(settings({ values: { a: 1 } }), before), [false]);
    assert.deepEqual(of(settings(), {}), [false]);
  });

  it("takes in none that it would have stopped for", () => {
    const stopped = new Set(["cert"]);
    assert.deepEqual(letThrough(settings(), releases(3, OLD), {}, stopped), {});
    assert.deepEqual(letThrough(settings(), releases(3, OLD, { replaced: 2 }), before, stopped), before);
  });
});
