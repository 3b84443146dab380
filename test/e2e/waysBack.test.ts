/**
 * Every way back of procedure §6.2, on the real engine, judged from outside; the engine is killed on the way. They begin
 * where the upgrade's story (upgrade.test.ts) was left: in the middle of its first agent, and accepted. One story in order.
 */
import assert from "node:assert/strict";
import { before, describe, it } from "mocha";
import { Machine } from "../../rehearsal/machines/machine";
import * as back from "./back";
import { restarts, rolledBack, snapshots, versions } from "./history";
import { configure, ok, onNode, run } from "./operator";

const { AGENTS, NEW, NEWER, OLD, SERVERS } = back;
/** Its config names nobody to join, and no token. */
const [FOUNDER] = SERVERS;
const [AGENT] = AGENTS;
const preview = () => run(["pulumi", "preview", "--non-interactive", "--color=never"]);

/** No longer back: settled on a version, nothing left to go back by, and no drift is seen in what a way back has left. */
async function settledOn(version: string): Promise<void> {
  const since = new Date();
  await back.forwardAgain();
  await configure({ rke2Version: version });
  await back.upWell();
  assert.deepEqual(await snapshots(), []);
  for (const server of SERVERS) assert.deepEqual(await restarts(server, "server", since), []);
}

describe("the ways back", function () {
  this.timeout(20 * 60_000);
  this.bail(true);
  const chance = back.random(back.seed);
  /** etcd's cluster, as it was at first. */
  let clusterId = "";

  before(async () => {
    console.log(`    seed ${back.seed}`);
    await back.from("half");
    clusterId = await back.isOneEtcd();
  });

  it("worker node failure: the agent is reinstalled, and no other node is touched", async () => {
    const since = new Date();
    await back.askForWayBack("reinstall", [AGENT]);
    await back.upWell();
    assert.equal((await versions())[AGENT], OLD);
    for (const node of [...SERVERS, ...AGENTS.slice(1)])
      assert.deepEqual(await restarts(node, SERVERS.includes(node as never) ? "server" : "agent", since), []);
    await back.tell();
  });

  it("worker node failure: the agent's VM is put back, and it joins again", async () => {
    await back.askForWayBack("rollback", [AGENT]);
    await back.upWell();
    assert.equal((await versions())[AGENT], OLD);
    assert.deepEqual(await rolledBack(), ["3004"]);
    assert.ok(await back.read("after"));
    await back.tell();
  });

  it("control plane failure: one server is taken out of etcd, its VM put back, wiped, joined anew, one cluster; killed on the way", async () => {
    await onNode(
      FOUNDER,
      "sudo systemctl stop rke2-server; sudo rke2-killall.sh >/dev/null 2>&1; sudo rm -rf /var/lib/rancher/rke2/server/db/etcd",
    );
    await back.askForWayBack("rollback", [FOUNDER]);
    const killed = await back.killedAt(/proj-k8sm01-(vm-rollback|back-start) creating/, chance() * 8000);
    assert.match(killed, /proj-k8sm01-member-remove created/);
    await back.upWell();
    assert.equal(await back.isOneEtcd(), clusterId);
    assert.equal((await versions())[FOUNDER], OLD);
    assert.ok((await back.read("before")) && (await back.read("after")));
    assert.deepEqual(await rolledBack(), ["3004", "3001"]);
    await back.tell();
  });

  it("partial upgrade failure across a minor, mixed servers and agents, killed twice: older objects byte for byte, newer ones gone", async () => {
    const before = await back.read("before");
    assert.ok(before && (await back.read("after")));
    await back.askForWayBack("restore");
    const told = await preview();
    assert.equal(told.code, 0, told.output);
    assert.match(told.output, /every object written since the etcd snapshot \(.* old\) is gone/);
    assert.match(told.output, /cannot be undone/);
    const [, gone = ""] = /created since, and gone: (.*)/.exec(told.output) ?? [];
    assert.ok(gone.includes("ConfigMap default/after") && !gone.includes("default/before"), gone);
    for (const pattern of [/back-reset creating/, /proj-k8sm0[23]-back-start creating/])
      await back.killedAt(pattern, chance() * 5000);
    await back.upWell();
    await back.areWell(() => OLD);
    await back.isOneEtcd();
    assert.deepEqual(await back.read("before"), before);
    assert.equal(await back.read("after"), undefined);
    const { rtoSeconds, rpoSeconds, summary } = await back.tell();
    assert.ok(rtoSeconds > 0 && rpoSeconds > 0);
    const [, same = 0, kinds = 0] = /(\d+) of (\d+) kinds of objects are as they were at/.exec(summary) ?? [];
    assert.ok(Number(kinds) >= 15 && Number(same) > Number(kinds) / 2, summary);
    assert.equal(new Set((await snapshots()).map((one) => one.split("/")[0])).size, 7);
  });

  it("is settled on what was accepted: every node proven, nothing installed, snapshots and locks let go", async () => {
    await settledOn(OLD);
    const state = await ok("bash", "-c", `find "\${PULUMI_BACKEND_URL#file://}" -type f -exec cat {} +`);
    assert.doesNotMatch(state, /AGE-SECRET-KEY/);
  });

  it("full cluster failure: all servers lost, their VMs put back and etcd from its snapshot, killed on the way", async () => {
    await back.from("half");
    for (const server of SERVERS) await (await Machine.byName(server)).kill();
    await back.askForWayBack("rollback");
    // Nobody can tell which volumes these servers' disks hold.
    await configure({ "consents.rewindVolumes[0]": "*" });
    const told = await preview();
    assert.equal(told.code, 0, told.output);
    assert.match(told.output, /which objects these are is not measured/);
    assert.match(told.output, /cannot be undone: a VM's present disk is not kept/);
    await back.killedAt(/proj-k8sm0\d-vm-rollback creating/, chance() * 8000);
    await back.upWell();
    await back.areWell(() => OLD);
    await back.isOneEtcd();
    assert.deepEqual((await rolledBack()).toSorted(), ["3001", "3002", "3003"]);
    assert.ok(await back.read("before"));
    assert.equal(await back.read("after"), undefined);
    await back.tell();
  });

  it("partial upgrade failure within a minor: in place, node by node, killed on the way, nothing lost", async () => {
    await back.from("accepted");
    await configure({ rke2Version: NEWER });
    // Its install has written the new version, and its service is being restarted.
    await back.killedAt(/proj-k8sm02-restart creating/, chance() * 2000);
    await back.write("within");
    await back.askForWayBack("reinstall");
    await back.killedAt(/proj-k8sm0[12]-back-\S+ creating/, chance() * 5000);
    await back.upWell();
    await back.areWell(() => NEW);
    assert.equal(await back.isOneEtcd(), clusterId);
    assert.ok(await back.read("within"));
    await back.tell();
    await settledOn(NEW);
  });
});
