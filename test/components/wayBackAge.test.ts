import assert from "node:assert/strict";
import { judgeRun } from "../../components/judgement";
import { judgeWayBackAge } from "../../components/wayBackAge";
import { parseSettings } from "../../config";
import { lab } from "../config/lab";
import { AT, clusterNode, FROM, facts, OWNER, settings, TO } from "../observe/facts";

const backup = (hours: number) => ({
  file: "etcd.age",
  version: FROM,
  takenAt: new Date(AT.getTime() - hours * 3_600_000),
});
/** The first server upgraded, as a run left it. */
const begun = facts({ node: ["proj-k8sm01", { versionOnDisk: TO, versionRunning: TO }] });
const given = (keys: Record<string, unknown>) =>
  parseSettings(lab({ rke2Version: TO, acceptedVersion: FROM, ...keys }));

describe("components/wayBackAge", () => {
  it("stops a run that goes on a week later, says what it costs and how to decide, and is part of what a run asks", () => {
    const [found, ...more] = judgeWayBackAge(settings, begun, backup(7 * 24));
    assert.deepEqual(more, []);
    assert.equal(found?.verdict, "fail");
    assert.match(
      found?.found ?? "",
      /^168 h, taken Sun 2026-08-30 01:00 UTC: no newer one with the data of v1\.35/,
    );
    assert.match(found?.next ?? "", /loses every object written since Sun 2026-08-30 01:00 UTC/);
    assert.match(found?.next ?? "", /pulumi config set 'rke2-upgrade:acceptedServers' CR-2026-041$/);
    const all = judgeRun(settings, begun, OWNER, backup(7 * 24)).filter(({ verdict }) => verdict !== "pass");
    assert.deepEqual(all, [found]);
  });

  it("goes on while the snapshot is young enough, by the limit, and where the operator has named the change", () => {
    assert.equal(judgeWayBackAge(settings, begun, backup(24))[0]?.verdict, "pass");
    const wide = given({ limits: { wayBackMaxAgeHours: 168 } });
    assert.equal(judgeWayBackAge(wide, begun, backup(168))[0]?.verdict, "pass");
    assert.equal(judgeWayBackAge(wide, begun, backup(169))[0]?.verdict, "fail");
    const kept = judgeWayBackAge(given({ acceptedServers: "CR-2026-041" }), begun, backup(168))[0];
    assert.equal(kept?.verdict, "warn");
    assert.match(kept?.next ?? "", /^allowed: acceptedServers names CR-2026-041; going back would lose/);
  });

  it("stops where there is none, acceptance or not: nobody knows what going back would lose", () => {
    for (const by of [settings, given({ acceptedServers: "CR-2026-041" })])
      assert.equal(judgeWayBackAge(by, begun, undefined)[0]?.verdict, "fail");
  });

  it("is silent while it can still be renewed, and where the cluster goes back in place", () => {
    assert.deepEqual(judgeWayBackAge(settings, facts(), backup(999)), []);
    const patch = given({ rke2Version: "v1.36.4+rke2r1", acceptedVersion: TO });
    const patched = facts({ node: ["proj-k8sm01", { versionOnDisk: "v1.36.4+rke2r1" }] });
    assert.deepEqual(judgeWayBackAge(patch, patched, backup(999)), []);
    assert.deepEqual(judgeWayBackAge(given({ rke2Version: FROM }), facts(), undefined), []);
  });

  it("counts a server that cannot be asked by the cluster's word", () => {
    const name = "proj-k8sm01";
    const silent = (kubeletVersion: string) => {
      const nodes = [clusterNode(name, { status: { nodeInfo: { kubeletVersion } as never } })];
      const seen = facts({ cluster: { nodes } });
      return { ...seen, nodes: new Map([...seen.nodes, [name, { missing: "no answer" }] as const]) };
    };
    assert.equal(judgeWayBackAge(settings, silent(TO), backup(168))[0]?.verdict, "fail");
    assert.deepEqual(judgeWayBackAge(settings, silent(FROM), backup(168)), []);
  });
});
