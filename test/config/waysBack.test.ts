import assert from "node:assert/strict";
import { parseSettings } from "../../config";
import { describeBackupToGoTo, describeWaysBack, type Situation, waysBack } from "../../config/waysBack";
import { lab } from "./lab";

const at = (to: string) =>
  parseSettings(lab({ rke2Version: to, acceptedVersion: "v1.36.3+rke2r1", ingressController: "none" }));
const WITHIN = at("v1.36.3+rke2r2");
const OVER = at("v1.37.0+rke2r1");
const well: Situation = {
  sick: [],
  silent: [],
  etcdWhole: true,
  backupAgesMs: { restore: 600_000, rollback: 60_000 },
};
const chosen = (settings: typeof WITHIN, situation: Partial<Situation>) =>
  waysBack(settings, { ...well, ...situation }).map(({ strategy, nodes }) => [
    strategy,
    nodes?.join(",") ?? "all",
  ]);

describe("config/waysBack", () => {
  it("goes back in place within a minor, with the snapshot across one", () => {
    assert.deepEqual(chosen(WITHIN, {}), [["reinstall", "all"]]);
    assert.deepEqual(chosen(OVER, {}), [["restore", "all"]]);
  });

  it("mends a sick agent first: in place, or its VM where it is silent", () => {
    assert.deepEqual(chosen(OVER, { sick: ["proj-k8sw02"] })[0], ["reinstall", "proj-k8sw02"]);
    assert.deepEqual(chosen(OVER, { sick: ["proj-k8sw02"], silent: ["proj-k8sw02"] })[0], [
      "rollback",
      "proj-k8sw02",
    ]);
  });

  it("mends one sick server by joining anew where etcd's minor stays", () => {
    assert.deepEqual(chosen(WITHIN, { sick: ["proj-k8sm02"] })[0], ["rollback", "proj-k8sm02"]);
    assert.deepEqual(chosen(OVER, { sick: ["proj-k8sm02"] }), [["restore", "all"]]);
  });

  it("mends nothing alone where the quorum is gone or etcd's members differ", () => {
    assert.deepEqual(chosen(WITHIN, { sick: ["proj-k8sm01", "proj-k8sm02", "proj-k8sw01"] }), [
      ["reinstall", "all"],
    ]);
    assert.deepEqual(chosen(WITHIN, { sick: ["proj-k8sw01"], etcdWhole: false }), [["restore", "all"]]);
  });

  it("puts all servers' VMs back where most of them are silent", () => {
    const lost = ["proj-k8sm01", "proj-k8sm02"];
    assert.deepEqual(chosen(WITHIN, { sick: lost, silent: lost }), [["rollback", "all"]]);
  });

  it("puts nothing back where nobody is reached from here, and names those that let nobody in", () => {
    const every = OVER.nodes.map(({ name }) => name);
    const nobody = every.map((name) => ({ name, why: "connect ETIMEDOUT" }));
    const lost = { ...well, sick: every, silent: every };
    assert.deepEqual(waysBack(OVER, { ...lost, nobody }), []);
    const said = describeWaysBack(OVER, { ...lost, nobody }).join("\n");
    assert.match(said, /no way back is proposed.*proj-k8sw01: connect ETIMEDOUT.*next: .*VPN/s);
    assert.doesNotMatch(said, /pulumi config set/);
    const refusing = [{ name: "proj-k8sm02", why: "the host key differs" }];
    const told = describeWaysBack(OVER, { ...well, refusing }).join("\n");
    assert.match(told, /let nobody in.*proj-k8sm02: the host key differs.*goBack\.strategy' restore/s);
  });

  it("proposes the mend of a server before those of agents, which ask a server", () => {
    const ways = chosen(WITHIN, { sick: ["proj-k8sw01", "proj-k8sm01"] });
    assert.deepEqual(ways.slice(0, 2), [
      ["rollback", "proj-k8sm01"],
      ["reinstall", "proj-k8sw01"],
    ]);
  });

  it("puts all servers' VMs back where one is silent and cannot be mended alone", () => {
    const one = { sick: ["proj-k8sm02"], silent: ["proj-k8sm02"] };
    assert.deepEqual(chosen(OVER, one), [["rollback", "all"]]);
    assert.match(describeWaysBack(OVER, { ...well, ...one }).join("\n"), /proj-k8sm02 does not answer/);
    // The other is sick, so that there is no quorum to join.
    assert.deepEqual(chosen(WITHIN, { sick: ["proj-k8sm02", "proj-k8sm03"], silent: ["proj-k8sm02"] }), [
      ["rollback", "all"],
    ]);
    assert.deepEqual(chosen(WITHIN, one), [
      ["rollback", "proj-k8sm02"],
      ["reinstall", "all"],
    ]);
    assert.match(describeWaysBack(WITHIN, { ...well, ...one }).join("\n"), /once proj-k8sm02 is mended/);
  });

  it("leaves silent agents out of a way back of the whole cluster", () => {
    const silent = { sick: ["proj-k8sw02", "proj-k8sw03"], silent: ["proj-k8sw02"] };
    const ways = waysBack(OVER, { ...well, ...silent });
    assert.deepEqual(ways.at(-1)?.without, ["proj-k8sw02"]);
    assert.ok(ways.slice(0, -1).every((way) => way.without === undefined));
    assert.match(
      describeWaysBack(OVER, { ...well, ...silent }).join("\n"),
      /goBack\.strategy' restore\n.*goBack\.without\[0\]' proj-k8sw02/,
    );
  });

  it("says the exact config to set and what would be lost", () => {
    const said = describeWaysBack(OVER, well).join("\n");
    assert.match(said, /pulumi config set --path 'rke2-upgrade:goBack\.strategy' restore/);
    assert.match(said, /backup\.identityFile/);
    assert.match(said, /lost: every object written since the etcd snapshot \(10 min old now/);
    assert.match(said, /objective: less than 15 min, procedure §6\.2\)/);
    const longer = { ...OVER, objectives: { ...OVER.objectives, rpoMinutes: 30 } };
    assert.match(describeWaysBack(longer, well).join("\n"), /objective: less than 30 min\)/);
  });

  it("tells the age of the snapshot that each way would go to", () => {
    const lost = { sick: ["proj-k8sm01", "proj-k8sm02"], silent: ["proj-k8sm01", "proj-k8sm02"] };
    const loses = (more: Partial<Situation>) => waysBack(WITHIN, { ...well, ...more }).at(-1)?.loses ?? "";
    assert.match(loses(lost), /\(1 min old now/);
    assert.match(loses({ etcdWhole: false }), /\(10 min old now/);
  });

  it("says beforehand which snapshot that would be", () => {
    const accepted = /one with the data of v1\.36\.3\+rke2r1: the last one was taken 10 min ago, and once/;
    assert.match(describeBackupToGoTo(OVER, 600_000), accepted);
    assert.doesNotMatch(describeBackupToGoTo(OVER, 600_000), /newest/);
    assert.match(describeBackupToGoTo(WITHIN, 600_000), accepted);
    assert.match(
      describeBackupToGoTo(WITHIN, undefined),
      /machines are lost that is the newest; .*just before/,
    );
  });
});
