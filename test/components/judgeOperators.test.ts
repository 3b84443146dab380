import assert from "node:assert/strict";
import { foreseeReleases, judgeOperators, type OperatorsSeen } from "../../components/judgeOperators";
import { letThrough } from "../../components/letThrough";
import { parseSettings } from "../../config";
import { lab } from "../config/lab";

const settings = (rancherVersion: string) => parseSettings(lab({ rancherVersion }));
const NEW = "2.15.1";
const known = letThrough(settings(NEW), new Map(), {}, new Set());
const seen = (changes: Partial<OperatorsSeen> = {}): OperatorsSeen => ({
  releases: {
    value: new Map([
      ["cattle-system/rancher", { revision: 1, status: "deployed", chart: "rancher", version: NEW }],
    ]),
  },
  ...{ byHand: new Set(), toMove: new Set() },
  rancherFacts: { value: { version: "v2.15.1", replicas: 0, clusters: [], backupPods: 1, resourceSets: [] } },
  ...changes,
});
const refused = (...asked: Parameters<typeof judgeOperators>) =>
  judgeOperators(...asked)
    .filter(({ verdict }) => verdict === "fail")
    .map(({ check }) => check);

describe("components/judgeOperators", () => {
  it("lets a node in its turn end before it asks about a Rancher that was let through as it is asked for", () => {
    assert.ok(refused(settings(NEW), seen(), known, false).includes("rancher: at rest"));
    assert.deepEqual(refused(settings(NEW), seen(), known, true), []);
  });

  it("asks about one that is asked for otherwise, or never was let through, also while a node is in its turn", () => {
    const next = { ...seen(), rancherChart: { value: "" } };
    assert.ok(refused(settings("2.17.0"), next, known, true).includes("rancher: version"));
    assert.ok(refused(settings(NEW), seen(), {}, true).includes("rancher: at rest"));
  });

  it("sees one at rest that its release does not bring up", () => {
    const moving = seen({ toMove: new Set(["rancher"]) });
    assert.ok(!refused(settings(NEW), moving, known, false).includes("rancher: at rest"));
  });

  it("has a preview say of a release that was moved by hand what the gate says", () => {
    const live = { revision: 3, replaced: 2, status: "deployed", chart: "rancher", version: "2.15.0" };
    const releases = { value: new Map([["cattle-system/rancher", live]]) };
    const byHand = seen({ releases, byHand: new Set(["rancher"]), rancherFacts: undefined });
    const foreseen = foreseeReleases(settings(NEW), releases, { held: "rancher", known }, false);
    assert.match(foreseen[0]?.next ?? "", /^it was moved by hand/);
    assert.deepEqual(foreseen, judgeOperators(settings(NEW), byHand, known, false));
    // In up the gate itself comes later.
    assert.equal(foreseeReleases(settings(NEW), releases, undefined, false)[0]?.verdict, "pass");
  });
});
