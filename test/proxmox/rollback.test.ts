import assert from "node:assert/strict";
import { ProxmoxClient } from "../../proxmox/client";
import { AT_REST, ownMark } from "../../proxmox/mark";
import { rollBack, rolledBack } from "../../proxmox/rollback";
import { takeSnapshot } from "../../proxmox/snapshots";
import { ClusterFile } from "../../rehearsal/proxmox/cluster";
import { ProxmoxLab } from "../rehearsal/proxmox/lab";

const NAME = "rke2-v1-35-4-r1-CR-1";
const MARK = ownMark("v1.35.4+rke2r1");
const inSeconds = (seconds: number) => new Date(Date.now() + seconds * 1000);

describe("a VM's rollback", function () {
  this.timeout(20_000);
  let lab: ProxmoxLab;
  let client: ProxmoxClient;
  const since = new Date(Date.now() - 1000);

  beforeEach(async () => {
    lab = await ProxmoxLab.start();
    client = new ProxmoxClient(lab.access);
    const guest = lab.guests.guest(3001);
    await takeSnapshot(client, 3001, NAME, `sm01; ${AT_REST}\n${MARK}`, inSeconds(5));
    guest.disk = "v2";
  });
  afterEach(async () => {
    await client.close();
    await lab.end();
  });

  const goBack = (changes: { since?: Date; atRest?: boolean; vmId?: number; name?: string } = {}) =>
    rollBack(client, { vmId: 3001, name: NAME, mark: MARK, atRest: true, since, ...changes }, inSeconds(10));
  const done = () => lab.guests.history.filter((what) => what === "rollback 3001").length;

  it("puts the disk back, with the machine off, and powers it on", async () => {
    assert.equal((await goBack()).name, NAME);
    const { disk, running } = lab.guests.guest(3001);
    assert.deepEqual({ disk, running }, { disk: "v1", running: true });
    assert.deepEqual([...(await rolledBack(client, [3001, 3002], since))], [3001]);
    assert.deepEqual([...(await rolledBack(client, [3001], inSeconds(5)))], []);
  });

  it("is done once an attempt: a rerun finds it done, and what the machine has written since stays", async () => {
    await goBack();
    lab.guests.guest(3001).disk = "v3";
    await goBack();
    assert.deepEqual([lab.guests.guest(3001).disk, done()], ["v3", 1]);
    await goBack({ since: inSeconds(1) });
    assert.deepEqual([lab.guests.guest(3001).disk, done()], ["v1", 2]);
  });

  it("powers on what an earlier run was killed before it could", async () => {
    await goBack();
    await lab.guests.stop(3001);
    await goBack();
    assert.ok(lab.guests.guest(3001).running);
    assert.equal(done(), 1);
  });

  it("goes to the newest of the change's own, and to no other", async () => {
    lab.guests.guest(3001).disk = "v1-renewed";
    await takeSnapshot(client, 3001, `${NAME}-2`, `sm01; ${AT_REST}; renewed\n${MARK}`, inSeconds(5));
    await takeSnapshot(client, 3001, "somebodys", "not ours", inSeconds(5));
    assert.equal((await goBack()).name, `${NAME}-2`);
  });

  it("refuses a server's snapshot that would start RKE2 by itself, and a VM without one", async () => {
    await takeSnapshot(client, 3002, NAME, `sm02\n${MARK}`, inSeconds(5));
    await assert.rejects(goBack({ vmId: 3002 }), /would start RKE2 with old etcd data by itself.*next: /);
    assert.equal((await goBack({ vmId: 3002, atRest: false })).name, NAME);
    await assert.rejects(goBack({ name: "rke2-other" }), /VM 3001 has no snapshot rke2-other.*next: /);
  });

  it("refuses a VM that high availability would start in the middle of it, and lets one that it ignores", async () => {
    const managed = (state: string) =>
      new ClusterFile(lab.state).change({ haResources: [{ sid: "vm:3001", type: "vm", state }] });
    managed("started");
    await assert.rejects(goBack(), /managed for high availability \(started\).*next: ha-manager set vm:3001/);
    assert.equal(done(), 0);
    managed("ignored");
    await goBack();
    assert.equal(done(), 1);
  });

  it("says which VM a failed task was of, and that it may have left a lock", async () => {
    lab.fault("task-fails-qmrollback-3001");
    await assert.rejects(goBack(), /VM 3001: .*qm unlock 3001/);
  });
});
