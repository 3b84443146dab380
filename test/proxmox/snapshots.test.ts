import assert from "node:assert/strict";
import { ProxmoxClient } from "../../proxmox/client";
import type { ProxmoxError } from "../../proxmox/errors";
import { ownMark } from "../../proxmox/mark";
import {
  canSnapshot,
  deleteSnapshot,
  listSnapshots,
  takeSnapshot,
  tellsOfFreeze,
} from "../../proxmox/snapshots";
import { ProxmoxLab } from "../rehearsal/proxmox/lab";

const NAME = "rke2-v1-35-4-r1-CR-1";
const DESCRIPTION = `proj-k8sm01 before CR-1\n${ownMark("v1.35.4+rke2r1")}`;
const inSeconds = (seconds: number) => new Date(Date.now() + seconds * 1000);

describe("VM snapshots", function () {
  this.timeout(20_000);
  let lab: ProxmoxLab;
  let client: ProxmoxClient;

  beforeEach(async () => {
    lab = await ProxmoxLab.start();
    client = new ProxmoxClient(lab.access);
  });
  afterEach(async () => {
    await client.close();
    await lab.end();
  });

  const take = (seconds = 5, description = DESCRIPTION) =>
    takeSnapshot(client, 3001, NAME, description, inSeconds(seconds));
  const names = async () => (await listSnapshots(client, "node01", 3001)).map(({ name }) => name);
  const takes = () => lab.guests.history.filter((what) => what === "snapshot 3001").length;

  it("tells a freeze by the agent's option and the words of older and newer releases", () => {
    const quiet = ["snapshotting 'drive-scsi0' (nvmethin01:vm-3001-disk-0)"];
    for (const agent of ["1", "enabled=1", "1,fstrim_cloned_disks=1", "type=virtio,enabled=1"])
      assert.ok(tellsOfFreeze(agent, quiet), agent);
    for (const agent of ["", "0", "enabled=0", "0,fstrim_cloned_disks=1"])
      assert.ok(!tellsOfFreeze(agent, quiet), agent);
    for (const said of [
      "skipping guest filesystem freeze - agent configured but not running?",
      "QEMU Guest Agent is not running - VM 3001 qmp command 'guest-ping' failed - got timeout",
      "guest-fsfreeze-freeze problems - VM 3001 qmp command 'guest-fsfreeze-freeze' failed: unable",
    ])
      assert.ok(!tellsOfFreeze("1", [...quiet, said]), said);
  });

  it("takes one, without RAM, and proves it listed", async () => {
    const before = Date.now() - 1000;
    const { snapshot, upid, crashConsistent } = await take();
    assert.equal(snapshot.name, NAME);
    assert.ok(snapshot.takenAt.getTime() >= before);
    assert.equal(snapshot.description.trimEnd(), DESCRIPTION);
    assert.equal(crashConsistent, false);
    assert.equal(takes(), 1);
    assert.match(upid ?? "", /^UPID:node01:.*:qmsnapshot:3001:rke2-upgrade@pve!operator:$/);
  });

  it("reads in the log that the file systems were not frozen", async () => {
    lab.fault("agent-down-3001");
    assert.equal((await take()).crashConsistent, true);
  });

  it("adopts the one that an earlier run took, with its task", async () => {
    lab.fault("agent-down-3001");
    const first = await take();
    lab.heal("agent-down-3001");
    const second = await take();
    assert.deepEqual(second, first);
    assert.equal(takes(), 1);
  });

  it("waits for the task of an earlier run that was killed, then adopts what it made", async () => {
    lab.fault("task-seconds", "2");
    await client.post("/nodes/node01/qemu/3001/snapshot", { snapname: NAME, description: DESCRIPTION });
    assert.equal((await take(10)).snapshot.name, NAME);
    assert.equal(takes(), 1);
  });

  it("takes it on the host to which the VM was moved", async () => {
    lab.move(3001, "node01", "node07");
    assert.match((await take()).upid ?? "", /^UPID:node07:/);
  });

  it("refuses a snapshot of the name that bears another mark", async () => {
    await take(5, `by hand\n${ownMark("v1.34.1+rke2r1")}`);
    await assert.rejects(
      take(),
      /that this change did not take: its description lacks "rke2-upgrade: taken on/,
    );
    assert.equal(takes(), 1);
  });

  it("waits for another's lock to go", async () => {
    lab.fault("vm-locked-3001");
    const taken = take(15);
    setTimeout(() => lab.heal("vm-locked-3001"), 1500);
    assert.equal((await taken).snapshot.name, NAME);
    assert.equal(takes(), 1);
  });

  it("says who holds the lock when the time is up, and changes nothing", async () => {
    lab.fault("vm-locked-3001");
    await assert.rejects(take(1), /VM 3001 on node01 is locked \(backup\).*next: .*qm unlock 3001/);
    assert.equal(takes(), 0);
  });

  it("names the task that holds the lock", async () => {
    lab.fault("task-seconds", "4");
    await client.post("/nodes/node01/qemu/3001/snapshot", { snapname: "by-hand" });
    await assert.rejects(take(0), /is locked \(snapshot\), qmsnapshot of rke2-upgrade@pve since 20/);
  });

  it("tells a failed task's own words, and can be run again at once", async () => {
    lab.fault("task-fails-qmsnapshot", "lvcreate: no space");
    await assert.rejects(take(), (error: ProxmoxError) => {
      assert.match(error.message, /^VM 3001: lvcreate: no space\. next: read the task/);
      return true;
    });
    assert.deepEqual(await names(), []);
    lab.heal("task-fails-qmsnapshot");
    assert.equal((await take()).snapshot.name, NAME);
  });

  it("deletes by exact name; one that is gone is done", async () => {
    await take();
    await takeSnapshot(client, 3001, `${NAME}-2`, DESCRIPTION, inSeconds(5));
    assert.equal(await deleteSnapshot(client, 3001, NAME, inSeconds(5)), true);
    assert.deepEqual(await names(), [`${NAME}-2`]);
    assert.equal(await deleteSnapshot(client, 3001, NAME, inSeconds(5)), false);
  });

  it("tells at once of a lock that a failed deletion left, instead of waiting for it", async () => {
    await take();
    lab.fault("task-fails-qmdelsnapshot", "lvremove: in use");
    await assert.rejects(
      deleteSnapshot(client, 3001, NAME, inSeconds(5)),
      /lvremove: in use\. next: .*qm unlock 3001/,
    );
    lab.heal("task-fails-qmdelsnapshot");
    const started = Date.now();
    await assert.rejects(
      deleteSnapshot(client, 3001, NAME, inSeconds(60)),
      /is locked \(snapshot-delete\).*left by a task that failed\. next: .*qm unlock 3001/,
    );
    assert.ok(Date.now() - started < 10_000);
    // Half deleted, it is no way back: a rerun says so even where the lock is gone.
    lab.unlock("node01", 3001);
    await assert.rejects(take(), /left half-way \(delete\). next: qm delsnapshot 3001/);
    assert.equal(await deleteSnapshot(client, 3001, NAME, inSeconds(5)), true);
  });

  it("asks beforehand whether the storage can", async () => {
    assert.equal(await canSnapshot(client, "node01", 3001), true);
    const { clusterFile } = lab.standIn.site;
    const { storages } = clusterFile.read();
    const { nvmethin01, ...others } = storages;
    assert.ok(nvmethin01);
    clusterFile.change({ storages: { ...others, nvmethin01: { ...nvmethin01, type: "dir" } } });
    assert.equal(await canSnapshot(client, "node01", 3001), false);
    await assert.rejects(take(), /snapshot feature is not available/);
  });
});
