import assert from "node:assert/strict";
import { parseSettings } from "../../../config";
import { judgeRancher, parseRancher, type RancherFacts } from "../../../observe";
import { lab } from "../../config/lab";

const FILE = "rke2up-cr-1-2.14.3-0b450532-cee1-4aa1-a881-f5f48a007b1c-2026-11-24T07-27-09Z.tar.gz";
const SETS = ["rancher-resource-set-full", "rancher-resource-set-basic"];
const VOLUME = { name: "pvc-1", node: "proj-k8sm03", isFolder: true };
const seen = (changes: Partial<RancherFacts> = {}) => ({
  value: {
    version: "v2.14.3",
    replicas: 3,
    clusters: [{ name: "local", called: "local", there: true }],
    resourceSets: SETS,
    backupPods: 1,
    backupVolume: VOLUME,
    ...changes,
  },
});
const CHART = { value: "< 1.37.0-0" };
const settings = (changes: object = {}) => parseSettings(lab({ rancherVersion: "2.15.1", ...changes }));
const judged = (facts: Partial<RancherFacts> = {}, changes: object = {}) =>
  Object.fromEntries(judgeRancher(settings(changes), seen(facts), CHART).map((one) => [one.check, one]));

describe("observe/checks/rancher", () => {
  it("reads what the script prints", () => {
    const printed = [
      "version\tv2.14.3",
      "cluster\tlocal\tlocal\tTrue\t-",
      "cluster\tc-m-1\ttelescope\tTrue\tFalse",
      "cluster\tc-m-2\tarray\tUnknown\tTrue",
      "resourceset\trancher-resource-set-full",
      "backup-operator\t1",
      "backup-volume\tproj-k8sm03\t/backups\tpvc-1",
      "replicas\t0",
      "",
    ].join("\n");
    const { version, clusters, resourceSets, backupPods, backupVolume, replicas } = parseRancher(printed);
    assert.deepEqual(backupVolume, VOLUME);
    assert.equal(replicas, 0);
    assert.equal(version, "v2.14.3");
    assert.deepEqual(
      clusters.filter(({ there }) => !there).map(({ name }) => name),
      ["c-m-1", "c-m-2"],
    );
    assert.deepEqual([resourceSets, backupPods], [["rancher-resource-set-full"], 1]);
    assert.deepEqual(parseRancher(""), {
      ...{ version: undefined, clusters: [], resourceSets: undefined, backupPods: 0 },
    });
  });

  it("asks nothing where Rancher is left alone, its export and whether it is at rest where it does not move", () => {
    assert.deepEqual(judgeRancher(parseSettings(lab()), seen(), CHART), []);
    const only = ["rancher: export"];
    const exported = parseSettings(lab({ rancher: { backup: { enabled: true } } }));
    assert.deepEqual(
      judgeRancher(exported, seen(), CHART).map(({ check }) => check),
      only,
    );
    assert.deepEqual(
      judgeRancher(settings(), seen(), undefined).map(({ check }) => check),
      [...only, "rancher: at rest"],
    );
  });

  it("lets a move of one minor through, with all that it needs there", () => {
    const all = Object.values(judged());
    assert.deepEqual(
      all.map(({ verdict }) => verdict),
      ["pass", "pass", "pass", "pass", "pass", "pass"],
    );
    assert.match(all[0]?.found ?? "", /v2\.14\.3, by its server's own word/);
  });

  it("lets a first installation through: nothing moves, nothing is exported", () => {
    const all = judged({ version: undefined, clusters: [], resourceSets: undefined, backupPods: 0 });
    assert.ok(Object.values(all).every(({ verdict }) => verdict === "pass" || verdict === "warn"));
  });

  it("refuses a skipped minor, and down without the export", () => {
    assert.equal(judged({ version: "v2.13.1" })["rancher: version"]?.verdict, "fail");
    assert.match(judged({ version: "v2.16.0" })["rancher: version"]?.next ?? "", /rancher\.restore/);
  });

  it("refuses a release that is not known to go with what runs, until it is acknowledged", () => {
    const check = "rancher: 2.16.0 on what runs now";
    const one = (changes: object = {}) =>
      judged({ version: "v2.15.1" }, { rancherVersion: "2.16.0", ...changes })[check];
    assert.equal(one()?.verdict, "fail");
    assert.equal(one({ acknowledge: ["rancher 2.16 on 1.35"] })?.verdict, "pass");
  });

  it("refuses while a cluster is away, by name, unless it may be", () => {
    const away = { clusters: [{ name: "c-m-1", called: "telescope", there: false }] };
    const finding = judged(away)["rancher: its clusters"];
    assert.equal(finding?.verdict, "fail");
    assert.match(`${finding?.found} ${finding?.next}`, /c-m-1 \(telescope\).*awayClusters\[0\]' c-m-1/);
    assert.equal(
      judged(away, { rancher: { awayClusters: ["c-m-1"] } })["rancher: its clusters"]?.verdict,
      "pass",
    );
  });

  it("warns of a cluster that is away where that may be why it goes back, or where it has", () => {
    const clusters = [{ name: "c-m-1", called: "telescope", there: false }];
    const of = (version: string, changes: object) =>
      judged({ version, clusters }, changes)["rancher: its clusters"]?.verdict;
    const back = { rancherVersion: "2.14.3", rancher: { restore: FILE } };
    assert.equal(of("v2.15.1", back), "warn");
    assert.equal(of("v2.15.1", {}), "warn");
    assert.equal(of("v2.15.0", {}), "fail");
  });

  it("refuses a Rancher that a way back left at rest, until it is scaled up, moves or goes back again", () => {
    const check = "rancher: at rest";
    const left = judged({ replicas: 0 })[check];
    assert.equal(left?.verdict, "fail");
    assert.match(left?.next ?? "", /kubectl -n cattle-system scale deployment rancher --replicas=3$/);
    const values = { replicas: 1 };
    assert.match(judged({ replicas: 0 }, { rancher: { values } })[check]?.next ?? "", /--replicas=1$/);
    const moving = judgeRancher(settings(), seen({ replicas: 0 }), CHART, true);
    assert.equal(moving.find((one) => one.check === check)?.verdict, "pass");
    assert.equal(judged({ replicas: undefined })[check]?.verdict, "pass");
    const back = { rancherVersion: "2.14.3", rancher: { restore: FILE } };
    assert.equal(judged({ replicas: 0, version: "v2.15.1" }, back)[check], undefined);
  });

  for (const [title, facts] of [
    ["rancher-backup is not installed", { resourceSets: undefined, backupPods: 0 }],
    ["none of its pods is ready", { backupPods: 0 }],
    ["its ResourceSet is not there", { resourceSets: ["rancher-resource-set"] }],
    ["it has no volume, as with S3", { backupVolume: undefined }],
    ["its volume is no folder of a node", { backupVolume: { ...VOLUME, isFolder: false } }],
    ["its volume is on a node of which nothing is known", { backupVolume: { ...VOLUME, node: "x" } }],
  ] as const) {
    it(`refuses where ${title}, and lets do without`, () => {
      const finding = judged(facts)["rancher: export"];
      assert.equal(finding?.verdict, "fail");
      assert.match(finding?.next ?? "", /rancher\.backup\.enabled: false/);
      assert.equal(judged(facts, { rancher: { backup: { enabled: false } } })["rancher: export"], undefined);
    });
  }

  for (const [range, verdict] of [
    ["", "pass"],
    ["< 1.37.0-0", "pass"],
    [">= 1.30.0-0, < 1.37.0-0", "pass"],
    ["< 1.36.0-0", "fail"],
    ["< 1.35.0-0 || >= 1.36.0-0", "fail"],
    ["soon", "fail"],
  ] as const) {
    it(`its chart's kubeVersion "${range}", with 1.35.4 running and 1.36.3 to come: ${verdict}`, () => {
      const both = settings({ rke2Version: "v1.36.3+rke2r1" });
      assert.equal(judgeRancher(both, seen(), { value: range }).at(-1)?.verdict, verdict);
    });
  }

  it("tells who judges a chart that only helm can read", () => {
    const finding = judgeRancher(settings(), seen(), { missing: "it is in a registry" }).at(-1);
    assert.equal(finding?.verdict, "warn");
    assert.match(finding?.next ?? "", /helm judges what runs/);
  });

  it("says so where nobody answers", () => {
    const all = judgeRancher(settings(), { missing: "no answer" }, undefined);
    assert.ok(all.length === 2 && all.every(({ verdict }) => verdict === "not measured"));
  });
});
