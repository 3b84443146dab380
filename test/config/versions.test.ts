import assert from "node:assert/strict";
import fc from "fast-check";
import { compareVersions, formatVersion, parseVersion } from "../../config/versions";
import { anyVersion, v } from "./releases";

describe("config/versions", () => {
  it("reads every name that it writes", () => {
    fc.assert(
      fc.property(anyVersion, (version) => {
        assert.deepEqual(parseVersion(formatVersion(version)), version);
      }),
    );
  });

  it("orders all releases: antisymmetric, transitive, and equal only to themselves", () => {
    const near = anyVersion.map((version) => ({
      ...version,
      minor: version.minor % 3,
      patch: version.patch % 3,
    }));
    fc.assert(
      fc.property(near, near, near, (a, b, c) => {
        assert.equal(Math.sign(compareVersions(a, b)), 0 - Math.sign(compareVersions(b, a)));
        if (compareVersions(a, b) <= 0 && compareVersions(b, c) <= 0) assert.ok(compareVersions(a, c) <= 0);
        assert.equal(compareVersions(a, b) === 0, formatVersion(a) === formatVersion(b));
      }),
    );
  });

  it("sorts by number, RKE2's revision last", () => {
    const names = ["v1.9.9+rke2r1", "v1.35.4+rke2r2", "v1.35.4+rke2r10", "v1.35.10+rke2r1", "v1.36.0+rke2r1"];
    assert.deepEqual(names.toReversed().map(v).sort(compareVersions).map(formatVersion), names);
  });

  for (const text of [
    "1.36.3+rke2r1",
    "v1.36+rke2r1",
    "v1.36.3",
    "v1.36.3+rke2r0",
    "v1.36.3+k3s1",
    "v1.36.3-rc1+rke2r1",
    "v1.036.3+rke2r1",
    " v1.36.3+rke2r1",
    "v1.36.3+rke2r1\n",
    "latest",
    "stable",
    "",
  ]) {
    it(`refuses ${JSON.stringify(text)}`, () => assert.equal(parseVersion(text), undefined));
  }
});
