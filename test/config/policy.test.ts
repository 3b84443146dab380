import assert from "node:assert/strict";
import fc from "fast-check";
import { isConsented } from "../../config/consents";
import { etcdOf } from "../../config/etcd";
import { isDay, isHost, isUrl, labelSelector, podGlob } from "../../config/formats";
import { snapshotName } from "../../config/names";
import { parseSettings } from "../../config/parse";
import { didYouMean, editDistance } from "../../config/suggest";
import { formatVersion } from "../../config/versions";
import { settingsWarnings } from "../../config/warnings";
import { lab, labNodes, nodesWith } from "./lab";
import { anyVersion, v } from "./releases";

describe("config/names", () => {
  it("makes a valid Proxmox snapshot name of any release and change, and never the same one twice", () => {
    const anyChange = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9_-]{1,18}$/);
    fc.assert(
      fc.property(anyVersion, anyVersion, anyChange, anyChange, (a, b, x, y) => {
        const name = snapshotName(formatVersion(a), x);
        assert.match(name, /^[a-z][a-z0-9_-]{1,39}$/i);
        const other = snapshotName(formatVersion(b), y);
        assert.equal(name === other, formatVersion(a) === formatVersion(b) && x === y);
      }),
    );
  });

  it("reads as what it is", () => {
    assert.equal(snapshotName("v1.35.4+rke2r1", "CR-2025-068"), "rke2-v1-35-4-r1-CR-2025-068");
  });
});

describe("config/consents", () => {
  it("covers what a glob covers, and no other namespace", () => {
    const globs = ["monitoring/prometheus-*", "default/bare"];
    const consented = (pod: string) => isConsented(globs, pod);
    assert.deepEqual(
      ["monitoring/prometheus-0", "monitoring/grafana", "default/bare", "default/bare-2", "x/monitoring"].map(
        consented,
      ),
      [true, false, true, false, false],
    );
    assert.ok(isConsented(["*"], "any/pod"));
    assert.equal(isConsented([], "any/pod"), false);
  });

  it("takes a dot for a dot", () => {
    assert.equal(isConsented(["a/b.c"], "a/bxc"), false);
  });

  it("takes globs of both parts or * alone", () => {
    const taken = ["*", "a/*", "*/b", "kube-system/rke2-*", "a/b.c"].every((glob) => podGlob.test(glob));
    const refused = ["a", "", "a/b/c", "A/b", "a/", "/b", "a/$(b)", "a b/c"].some((glob) =>
      podGlob.test(glob),
    );
    assert.deepEqual([taken, refused], [true, false]);
  });
});

describe("config/etcd", () => {
  it("knows the releases of the table, and says so where it does not", () => {
    const known = ["v1.32.1+rke2r1", "v1.33.7+rke2r2", "v1.33.12+rke2r1", "v1.35.4+rke2r1", "v1.38.0+rke2r1"];
    assert.deepEqual(
      known.map((text) => etcdOf(v(text))),
      [undefined, "3.5.25", "3.6", "3.6", undefined],
    );
  });
});

describe("config/formats", () => {
  it("takes a day as people and as Pulumi write it, and no other", () => {
    const days = ["2026-08-31", "2026-08-31 00:00:00 +0000 UTC"].map(isDay);
    const others = ["2026-02-30", "31.08.2026", "2026-8-31", "2026-08-31T00:00:00Z", ""].map(isDay);
    assert.deepEqual([new Set(days), new Set(others)], [new Set([true]), new Set([false])]);
  });

  it("takes the label selectors that kubectl takes", () => {
    const taken = ["a", "!a", "a=b", "a==b", "a!=", "x.io/a in (b, c)", "a notin (b),c=d,!e"];
    const refused = ["", "a=b=c", "a in b", "a,", "$(a)", "a=b;c", "a in (b", "=b", "a b"];
    assert.deepEqual(
      [taken, refused].map((list) => list.filter((one) => labelSelector.test(one))),
      [taken, []],
    );
  });

  it("tells hosts from look-alikes", () => {
    const hosts = ["10.25.20.11", "k8s.example.org", "proj-k8sm01"].map(isHost);
    const others = ["10.25.20.300", "10.25.20", "https://a", "a:22", "A.b", "a..b", "-a", "", " a"].map(
      isHost,
    );
    assert.deepEqual([new Set(hosts), new Set(others)], [new Set([true]), new Set([false])]);
  });

  it("refuses a URL that carries a password or a query", () => {
    const given = ["https://a/b", "http://a/b", "https://u:p@a/", "https://a/?token=x", "a/b", "ftp://a"];
    assert.deepEqual(
      given.map((url) => isUrl(url, ["https"])),
      [true, false, false, false, false, false],
    );
  });
});

describe("config/suggest", () => {
  it("measures a distance: nothing to itself, the same both ways, within the longer word", () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (a, b) => {
        const distance = editDistance(a, b);
        assert.equal(distance === 0, a === b);
        assert.equal(distance, editDistance(b, a));
        assert.ok(distance <= Math.max(a.length, b.length));
      }),
    );
  });

  it("keeps silent where nothing is near", () => {
    assert.equal(didYouMean("nodse", ["nodes", "drain"]), "nodes");
    assert.equal(didYouMean("colour", ["nodes", "drain"]), undefined);
  });
});

describe("config/warnings", () => {
  const texts = (changes: Record<string, unknown>) =>
    settingsWarnings(parseSettings(lab(changes))).map(({ path, text }) => `${path}: ${text}`);

  it("has none for the lab at rest", () => assert.deepEqual(texts({}), []));

  it("says before a minor upgrade what going back will take, and what the release brings", () => {
    const told = texts({ rke2Version: "v1.36.3+rke2r1" });
    assert.ok(told.some((line) => /going back takes the etcd snapshot/.test(line)));
    assert.ok(told.some((line) => /Traefik becomes the default/.test(line)));
  });

  it("says so of one server, shared hosts and keys, plain http and consent to everything", () => {
    const agents = labNodes.filter(({ role }) => role === "agent");
    const matches = (changes: Record<string, unknown>, pattern: RegExp) =>
      assert.ok(
        texts(changes).some((line) => pattern.test(line)),
        String(pattern),
      );
    matches({ nodes: [labNodes[0], ...agents] }, /one server/);
    matches(
      { nodes: nodesWith(1, { proxmoxNode: "node01" }) },
      /proj-k8sm01, proj-k8sm02 share one proxmoxNode/,
    );
    matches({ nodes: nodesWith(4, { hostKey: labNodes[3]?.hostKey }) }, /share one hostKey/);
    matches({ install: { artifactUrl: "http://10.25.20.3/rke2" } }, /install\.artifactUrl: plain http/);
    matches({ consents: { longGrace: ["*"] } }, /consents\.longGrace: every pod/);
  });
});
