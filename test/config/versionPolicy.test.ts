import assert from "node:assert/strict";
import fc from "fast-check";
import { judgeMove } from "../../config/versionPolicy";
import { compareVersions, type Version } from "../../config/versions";
import { anyVersion, v } from "./releases";

const move = (from: string, to: string) => judgeMove(v(from), v(to));

describe("config/versionPolicy", () => {
  it("never allows a move down, by RKE2's revision included", () => {
    fc.assert(
      fc.property(anyVersion, anyVersion, (a, b) => {
        const [older, newer] = compareVersions(a, b) < 0 ? [a, b] : [b, a];
        fc.pre(compareVersions(older, newer) < 0);
        assert.equal(judgeMove(newer, older).allowed, false);
      }),
    );
  });

  it("never allows more than one minor, or another major", () => {
    const jump = fc.record({ major: fc.integer({ min: 0, max: 2 }), minor: fc.integer({ min: 0, max: 5 }) });
    fc.assert(
      fc.property(anyVersion, jump, (from, by) => {
        const to: Version = { ...from, major: from.major + by.major, minor: from.minor + by.minor };
        fc.pre(by.major > 0 || by.minor > 1);
        assert.equal(judgeMove(from, to).allowed, false);
      }),
    );
  });

  it("allows staying anywhere, and moving within any minor that it knows no trap in", () => {
    const known = anyVersion.map((version) => ({ ...version, major: 1, minor: 34 + (version.minor % 4) }));
    fc.assert(
      fc.property(known, fc.nat(5), fc.nat(5), (from, patch, revision) => {
        assert.equal(judgeMove(from, from).allowed, true);
        const to = { ...from, patch: from.patch + patch, revision: from.revision + revision };
        const judged = judgeMove(from, to);
        assert.ok(judged.allowed);
        assert.equal(judged.backNeedsRestore, false);
      }),
    );
  });

  it("asks for the etcd snapshot whenever the Kubernetes minor changes", () => {
    const judged = move("v1.35.4+rke2r1", "v1.36.3+rke2r1");
    assert.ok(judged.allowed);
    assert.deepEqual([judged.kind, judged.etcd, judged.backNeedsRestore], ["minor", "same", true]);
  });

  it("sees etcd's minor change within a Kubernetes patch", () => {
    const judged = move("v1.33.10+rke2r1", "v1.33.11+rke2r1");
    assert.ok(judged.allowed);
    assert.deepEqual([judged.kind, judged.etcd, judged.backNeedsRestore], ["patch", "crossed", true]);
  });

  it("treats releases that it does not know as if etcd's minor changed", () => {
    const judged = move("v1.40.0+rke2r1", "v1.40.1+rke2r1");
    assert.ok(judged.allowed);
    assert.deepEqual([judged.etcd, judged.backNeedsRestore], ["unknown", true]);
  });

  it("knows that 1.37 brings etcd 3.7", () => {
    const judged = move("v1.36.4+rke2r1", "v1.37.0+rke2r1");
    assert.ok(judged.allowed);
    assert.equal(judged.etcd, "crossed");
  });

  it("refuses etcd 3.6 on a 3.5 before 3.5.26, and names the stop between", () => {
    const judged = move("v1.33.7+rke2r1", "v1.34.3+rke2r1");
    assert.ok(!judged.allowed);
    assert.match(judged.instead, /v1\.33\.10\+rke2r1/);
    assert.equal(move("v1.33.7+rke2r3", "v1.34.3+rke2r1").allowed, true);
  });

  it("names the minor that a jump skips", () => {
    const judged = move("v1.34.4+rke2r1", "v1.36.3+rke2r1");
    assert.ok(!judged.allowed);
    assert.match(judged.reason, /skips Kubernetes 1\.35/);
  });

  it("notes what is known of a minor where it is entered, and nothing within it", () => {
    const sources = (from: string, to: string) => {
      const judged = move(from, to);
      return judged.allowed && judged.notes.map(({ source }) => source);
    };
    assert.deepEqual(sources("v1.35.4+rke2r1", "v1.36.3+rke2r1"), ["docs.rke2.io/release-notes/v1.36.X"]);
    assert.deepEqual(sources("v1.36.1+rke2r1", "v1.36.3+rke2r1"), []);
  });
});
