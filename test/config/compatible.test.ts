import assert from "node:assert/strict";
import fc from "fast-check";
import table from "../../config/compatibility.json";
import { COMPONENTS, compatibilitySchema, judgeCompatibility, minorOf } from "../../config/compatible";
import { acknowledgement } from "../../config/formats";

describe("config/compatibility.json", () => {
  const { rows } = compatibilitySchema.parse(table);

  it("has one row a release, each with a range, a public source and the day it was read", () => {
    const names = rows.map(({ component, release }) => `${component} ${release}`);
    assert.equal(new Set(names).size, names.length);
    for (const { kubernetes, source, checkedOn } of rows) {
      assert.ok(Number(kubernetes.from.split(".")[1]) <= Number(kubernetes.to.split(".")[1]));
      assert.match(source, /^https:\/\//);
      assert.ok(new Date(checkedOn) <= new Date(), "read in the future");
    }
  });

  it("knows something of every component", () => {
    assert.deepEqual([...new Set(rows.map(({ component }) => component))].sort(), [...COMPONENTS].sort());
  });
});

describe("config/compatible", () => {
  const verdict = (...args: Parameters<typeof judgeCompatibility>) => judgeCompatibility(...args).verdict;

  it("tells what goes together, what its maker refuses, and what nobody has published", () => {
    assert.equal(verdict("rancher", "v2.15.1", "1.36"), "compatible");
    assert.equal(verdict("rancher", "v2.14.3", "1.36"), "incompatible");
    assert.equal(verdict("rancher", "v2.13.1", "1.36"), "unknown");
    assert.equal(verdict("rancher", "v2.99.0", "1.36"), "unknown");
    assert.equal(verdict("cert-manager", undefined, "1.36"), "unknown");
  });

  it("names every pair in the form in which config acknowledges it", () => {
    const any = fc.record({
      component: fc.constantFrom(...COMPONENTS),
      x: fc.nat(40),
      y: fc.nat(40),
      k: fc.nat(60),
    });
    fc.assert(
      fc.property(any, fc.boolean(), ({ component, x, y, k }, readable) => {
        const { pair, verdict: said } = judgeCompatibility(
          component,
          readable ? `v${x}.${y}.0` : undefined,
          `1.${k}`,
        );
        assert.match(pair, acknowledgement);
        if (!readable) assert.equal(said, "unknown");
      }),
    );
  });

  it("compares minors as numbers", () => {
    const row = {
      component: "traefik",
      release: "3.7",
      kubernetes: { from: "1.9", to: "1.10" },
      refusesBeyond: true,
    } as const;
    const data = [{ ...row, source: "https://example.org", checkedOn: "2026-01-01" }];
    assert.equal(judgeCompatibility("traefik", "3.7.0", "1.10", data).verdict, "compatible");
    assert.equal(judgeCompatibility("traefik", "3.7.0", "1.11", data).verdict, "incompatible");
    assert.equal(judgeCompatibility("traefik", "3.7.0", "1.8", data).verdict, "unknown");
    assert.equal(minorOf("v26.7.0"), "26.7");
    assert.equal(minorOf("latest"), undefined);
  });
});
