import assert from "node:assert/strict";
import { ProxmoxClient } from "../../proxmox/client";
import { runInGuest, waitForAgent } from "../../proxmox/guestAgent";
import { bootTestVm, cloneKind, destroyTestVm, type TestVm } from "../../proxmox/testVm";
import { ProxmoxLab } from "../rehearsal/proxmox/lab";

const OWNER = "5f0c9a52-7a53-4a1b-9d7e-3b7b6f1d2c11";
const vm: TestVm = {
  ...{
    host: "node01",
    origin: 3001,
    snapshot: "before",
    vmId: 9900,
    name: "restore-test-cr-1",
    owner: OWNER,
    run: "run-1",
  },
};
const inSeconds = (seconds: number) => new Date(Date.now() + seconds * 1000);

describe("the restore test's VM", function () {
  this.timeout(20_000);
  let lab: ProxmoxLab;
  let client: ProxmoxClient;

  beforeEach(async () => {
    lab = await ProxmoxLab.start();
    client = new ProxmoxClient(lab.access);
    await lab.guests.snapshot(3001, "before");
    lab.standIn.site.vms.update("node01", 3001, (config) => {
      config.snapshots.before = { snaptime: 1, config: config.values };
    });
  });
  afterEach(async () => {
    await client.close();
    await lab.end();
  });

  const exists = () => lab.guests.guests.has(9900);
  const boot = () => bootTestVm(client, vm, false, inSeconds(10));
  const destroy = (owner = OWNER) => destroyTestVm(client, { vmId: 9900, owner }, inSeconds(10));
  const storageIs = (type: "zfspool" | "dir") => {
    const { clusterFile } = lab.standIn.site;
    const { storages } = clusterFile.read();
    const { nvmethin01 } = storages;
    assert.ok(nvmethin01);
    clusterFile.change({ storages: { ...storages, nvmethin01: { ...nvmethin01, type } } });
  };

  it("boots with its cable out, with the rights of docs/proxmox.md alone, and is destroyed while it runs", async () => {
    await boot();
    const { running, linkUp } = lab.guests.guest(9900);
    assert.deepEqual({ running, linkUp }, { running: true, linkUp: false });
    const { values } = lab.standIn.site.vms.load("node01", 9900);
    assert.match(String(values.net0), /^virtio=BC:24:11:.*,link_down=1$/);
    assert.notEqual(values.net0, `${lab.standIn.site.vms.load("node01", 3001).values.net0},link_down=1`);
    assert.equal(values.onboot, 0);
    assert.equal(await destroy(), true);
    assert.equal(exists(), false);
    assert.equal(lab.guests.guest(3001).running, true);
  });

  it("that is gone is done", async () => {
    assert.equal(await destroy(), false);
  });

  it("of another change, or anybody's, is left alone", async () => {
    await boot();
    await assert.rejects(
      destroy("another"),
      /is not this change's restore test: it is left alone. next: set restoreTest/,
    );
    assert.equal(exists(), true);
  });

  it("of the run after it is none of the business of one that was left behind", async () => {
    await boot();
    assert.equal(await destroyTestVm(client, { ...vm, run: "run-0" }, inSeconds(5)), false);
    assert.equal(exists(), true);
    assert.equal(await destroyTestVm(client, vm, inSeconds(5)), true);
  });

  it("that an engine was killed over is waited for while it is cloned, then destroyed", async () => {
    lab.fault("task-seconds", "2");
    const killed = boot().catch(() => "killed");
    while (lab.standIn.site.vms.list().every(({ vmId }) => vmId !== 9900)) await new Promise(setImmediate);
    const gone = destroyTestVm(client, { vmId: 9900, owner: OWNER, run: "run-1" }, inSeconds(15));
    assert.equal(await gone, true);
    assert.equal(exists(), false);
    await killed;
  });

  it("is linked on thin storage, copied from qcow2, and not made on ZFS", async () => {
    assert.equal(await cloneKind(client, "node01", 3001, "before"), "linked");
    storageIs("zfspool");
    assert.equal(await cloneKind(client, "node01", 3001, "before"), "none");
  });

  it("runs a program through its agent, whole scripts on its input, and tells how it ended", async () => {
    await boot();
    lab.guests.answer = async (command, input) => ({
      code: 3,
      stdout: `${command.join(" ")}:${input}`,
      stderr: "no",
    });
    await waitForAgent(client, vm, inSeconds(5));
    const deadline = inSeconds(5);
    assert.deepEqual(
      await runInGuest(client, vm, { command: ["bash", "-c", "a b"], input: "ä\nb", deadline }),
      {
        ...{ code: 3, stdout: "bash -c a b:ä\nb", stderr: "no" },
      },
    );
  });

  it("whose agent may run nothing is told with where that stands", async () => {
    await boot();
    lab.fault("agent-exec-blocked-9900");
    const wish = { command: ["bash"], input: "", deadline: inSeconds(5) };
    await assert.rejects(
      runInGuest(client, vm, wish),
      /VM 9900: .*guest-exec has been disabled.*next: allow guest-exec .*\/etc\/sysconfig\/qemu-ga/,
    );
  });

  it("whose agent does not answer is told at the deadline, a right that is missing at once", async () => {
    await boot();
    lab.fault("agent-down-9900");
    await assert.rejects(
      waitForAgent(client, vm, inSeconds(1)),
      /VM 9900: .*QEMU guest agent is not running.*next: is qemu-guest-agent installed/,
    );
    lab.heal("agent-down-9900");
    const began = Date.now();
    await assert.rejects(
      waitForAgent(client, { host: "node01", vmId: 3001 }, inSeconds(60)),
      /VM.GuestAgent/,
    );
    assert.ok(Date.now() - began < 10_000);
  });

  it("whose options have no agent is not waited for", async () => {
    await boot();
    lab.standIn.site.vms.update("node01", 9900, (config) => {
      config.values = { ...config.values, agent: "0" };
    });
    await assert.rejects(
      waitForAgent(client, vm, inSeconds(60)),
      /No QEMU guest agent configured[\s\S]*is qemu-guest-agent installed/,
    );
  });
});
