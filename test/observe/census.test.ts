import assert from "node:assert/strict";
import fc from "fast-check";
import { type Census, compareCensus, describeCensus, parseCensus } from "../../observe/census";

const at = new Date("2026-11-24T10:00:00Z");
const sum = "a".repeat(64);

/** What look-census.sh prints of a cluster with these objects; every kind is served. */
const printed = (kinds: Record<string, readonly string[]>, content: Record<string, string> = {}): string =>
  [
    ...Object.keys(kinds).map((kind) => `served\t${kind}\tv1`),
    ...Object.entries(kinds).flatMap(([kind, uids]) => uids.map((uid) => `object\t${kind}\tv1\t${uid}`)),
    ...Object.entries(content).map(([kind, hash]) => `content\t${kind}\tv1\t${hash}`),
    "",
  ].join("\n");
const census = (...args: Parameters<typeof printed>): Census => parseCensus(printed(...args), at);
const uids = (count: number, from = 0) => Array.from({ length: count }, (_, i) => `u${from + i}`);
const suspected = (before: number, now: number) =>
  compareCensus(census({ K: uids(before) }), census({ K: uids(now) })).suspected.length > 0;

describe("observe/census", () => {
  it("counts by kind and group, whatever its version, and keeps no object's name or value", () => {
    const stdout = [
      "served\tConfigMap\tv1",
      "served\tDeployment\tapps/v1",
      "served\tIngress\tnetworking.k8s.io/v1",
      "object\tDeployment\tapps/v1\tb",
      "object\tDeployment\tapps/v1\ta",
      "object\tConfigMap\tv1\tc",
      `content\tConfigMap\tv1\t${sum}`,
    ].join("\n");
    const { kinds } = parseCensus(stdout, at);
    assert.deepEqual(
      Object.entries(kinds).map(([kind, { count, content }]) => [kind, count, content]),
      [
        ["ConfigMap", 1, sum],
        ["Deployment.apps", 2, undefined],
        ["Ingress.networking.k8s.io", 0, undefined],
      ],
    );
    const newer = parseCensus(stdout.replaceAll("apps/v1", "apps/v2"), at);
    assert.deepEqual(newer.kinds, kinds);
  });

  it("is the same in whatever order the objects are listed, and differs with any one of them", () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.uuid(), { minLength: 1 }), (all) => {
        const change = (now: readonly string[]) => compareCensus(census({ K: all }), census({ K: now }));
        assert.equal(change([...all].reverse()).same, 1);
        assert.equal(change(all.slice(1)).same, 0);
        assert.equal(change([...all, "one more"]).same, 0);
        assert.equal(change([...all.slice(1), "another"]).same, 0);
      }),
    );
  });

  it("sees that the same objects hold something else", () => {
    const change = compareCensus(census({ K: uids(2) }, { K: sum }), census({ K: uids(2) }, { K: "b" }));
    assert.deepEqual([change.kinds, change.same, change.suspected.length], [1, 0, 0]);
    assert.match(describeCensus(change), /0 of 1 kinds .* K 2 → 2/);
  });

  it("suspects a kind that is gone whole, or most of a large one, and not what people and upgrades delete", () => {
    for (const [before, now] of [
      [3, 0],
      [40, 0],
      [20, 9],
      [1000, 400],
    ] as const)
      assert.ok(suspected(before, now), `${before} → ${now}`);
    for (const [before, now] of [
      [2, 0],
      [1, 0],
      [20, 10],
      [12, 5],
      [5, 1],
      [1000, 600],
      [3, 300],
    ] as const)
      assert.ok(!suspected(before, now), `${before} → ${now}`);
  });

  it("never suspects where nothing is lost, and never more for fewer losses", () => {
    const count = fc.integer({ min: 0, max: 200 });
    fc.assert(
      fc.property(count, count, count, (before, now, more) => {
        if (now >= before) assert.ok(!suspected(before, now));
        if (!suspected(before, now)) assert.ok(!suspected(before, now + more));
      }),
    );
  });

  it("does not take a kind that is served no more for one that was lost", () => {
    const change = compareCensus(census({ A: uids(9), B: uids(9) }), census({ B: [] }));
    assert.deepEqual(
      change.suspected.map(({ kind }) => kind),
      ["B"],
    );
    assert.match(describeCensus(change), /^data corruption is suspected: .*B 9 → 0$/);
  });
});
