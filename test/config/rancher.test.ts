import assert from "node:assert/strict";
import fc from "fast-check";
import { ConfigError, exportedVersion, judgeRancherMove, parseSettings } from "../../config";
import { lab } from "./lab";

const FILE = "rke2up-cr-2026-041-2.14.3-0b450532-cee1-4aa1-a881-f5f48a007b1c-2026-11-24T07-27-09Z.tar.gz";

/** Each mistake's path and what is allowed there. */
function mistakes(changes: Record<string, unknown>): Record<string, string> {
  try {
    parseSettings(lab(changes));
    return {};
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    return Object.fromEntries(error.mistakes.map(({ path, allowed }) => [path, allowed]));
  }
}

describe("config: Rancher", () => {
  it("is left alone by default: no operator, no export", () => {
    const { operators, rancher } = parseSettings(lab());
    assert.deepEqual(operators, []);
    assert.equal(rancher.backup.enabled, false);
  });

  it("is the first of the operators that go before Kubernetes, and exported", () => {
    const cert = { name: "cert", namespace: "cert", chart: "./cert.tgz", version: "v1.2.3", when: "before" };
    const { operators, rancher } = parseSettings(lab({ rancherVersion: "2.15.1", operators: [cert] }));
    assert.deepEqual(operators[0], {
      ...{ name: "rancher", namespace: "cattle-system", chart: "rancher", version: "2.15.1", when: "before" },
      ...{ repo: "https://releases.rancher.com/server-charts/stable", values: {}, adopt: false },
      ...{ timeoutSeconds: 600, health: [], rancher: true },
    });
    assert.equal(operators[1]?.name, "cert");
    assert.equal(rancher.backup.enabled, true);
  });

  it("takes a chart from where it says itself that it is", () => {
    for (const chart of [
      "/charts/rancher-2.15.1.tgz",
      "oci://registry.example.org/rancher",
      "mirror/rancher",
    ]) {
      const { operators } = parseSettings(lab({ rancherVersion: "2.15.1", rancher: { chart } }));
      assert.ok(operators[0] && !("repo" in operators[0]), chart);
    }
    const repo = "https://charts.example.org";
    assert.deepEqual(Object.keys(mistakes({ rancher: { chart: "./rancher", repo } })), ["rancher.chart"]);
  });

  it("is exported before a plain version bump where that is asked for, and never where it is switched off", () => {
    const enabled = (changes: Record<string, unknown>) => parseSettings(lab(changes)).rancher.backup.enabled;
    assert.equal(enabled({ rancher: { backup: { enabled: true } } }), true);
    assert.equal(enabled({ rancherVersion: "2.15.1", rancher: { backup: { enabled: false } } }), false);
  });

  it("refuses every mistake at once, each by its key", () => {
    const found = mistakes({
      rancherVersion: "v2.15",
      rancher: {
        nmespace: "x",
        backup: { timeoutSeconds: 0 },
        restore: "some.tar.gz",
        awayClusters: ["A b"],
      },
    });
    assert.deepEqual(Object.keys(found).sort(), [
      "rancher.awayClusters[0]",
      "rancher.backup.timeoutSeconds",
      "rancher.nmespace",
      "rancher.restore",
      "rancherVersion",
    ]);
  });

  it("goes back to the version that the export was made of alone, and stands in the chain once", () => {
    assert.equal(exportedVersion(FILE), "2.14.3");
    assert.deepEqual(mistakes({ rancherVersion: "2.14.3", rancher: { restore: FILE } }), {});
    for (const rancherVersion of ["2.15.1", ""]) {
      const found = mistakes({ rancherVersion, rancher: { restore: FILE } });
      assert.deepEqual(Object.keys(found), ["rancher.restore"], rancherVersion);
    }
    const twice = { name: "rancher", namespace: "x", chart: "./x", version: "2.15.1", when: "before" };
    assert.deepEqual(Object.keys(mistakes({ rancherVersion: "2.15.1", operators: [twice] })), [
      "operators[0].name",
    ]);
    assert.deepEqual(mistakes({ operators: [twice] }), {});
  });
});

describe("config: a move of Rancher", () => {
  const part = fc.nat(40);
  const release = fc
    .tuple(part, part)
    .map(([minor, patch]) => ({ minor, patch, text: `2.${minor}.${patch}` }));

  it("is allowed up by a minor at most, and never down without an export, whatever the releases are", () => {
    fc.assert(
      fc.property(release, release, (from, to) => {
        const { allowed, instead } = judgeRancherMove(`v${from.text}`, to.text, undefined);
        const down = to.minor < from.minor || (to.minor === from.minor && to.patch < from.patch);
        assert.equal(allowed, !down && to.minor <= from.minor + 1);
        assert.equal(allowed, instead === undefined);
      }),
    );
  });

  const cases: [string, string, string, string | undefined, boolean, RegExp?][] = [
    ["a skipped minor", "v2.13.4", "2.15.1", undefined, false, /2\.14 first/],
    ["down", "v2.15.1", "2.14.3", undefined, false, /rancher\.restore/],
    ["down with the export", "v2.15.1", "2.14.3", FILE, true],
    ["down within a minor, with the export", "v2.14.4", "2.14.3", FILE, true],
    ["over 2.14, which wants cleanup scripts", "v2.14.3", "2.13.4", FILE, false, /cleanup scripts/],
    ["another major", "v2.15.1", "3.0.0", undefined, false, /major/],
    ["from a head build", "v2.15-head", "2.15.1", undefined, false, /no release/],
  ];
  for (const [title, from, to, restore, allowed, instead] of cases) {
    it(`${allowed ? "takes" : "refuses"} ${title}`, () => {
      const move = judgeRancherMove(from, to, restore);
      assert.equal(move.allowed, allowed);
      if (instead) assert.match(move.instead ?? "", instead);
    });
  }
});
