import assert from "node:assert/strict";
import { configure, providerContext } from "../../components/providerConfig";
import { destroyLeftOvers, releaseRestoreTest, testRestore } from "../../components/restoreTestRun";
import { ProxmoxClient } from "../../proxmox/client";
import { ownMark } from "../../proxmox/mark";
import { bootTestVm } from "../../proxmox/testVm";
import { configureRequest } from "../proxmox/stack";
import { ProxmoxLab } from "../rehearsal/proxmox/lab";
import { playNode } from "./playedNode";

const NAME = "rke2-v1-35-4-r1-CR-2026-041";
const inputs = {
  ...{ enabled: true, node: "proj-k8sm01", accepted: "v1.35.4+rke2r1", changeId: "CR-2026-041" },
  owner: "5f0c9a52-7a53-4a1b-9d7e-3b7b6f1d2c11",
};
const measured = { keys: 350, unchanged: 349, written: 1, missing: 0, restoreSeconds: 2, startSeconds: 11 };

describe("a restore test", function () {
  this.timeout(20_000);
  let lab: ProxmoxLab;

  beforeEach(async () => {
    lab = await ProxmoxLab.start();
    await configure(configureRequest(lab) as never);
    await lab.guests.snapshot(3001, NAME);
    const description = `proj-k8sm01 before CR-2026-041\n${ownMark("v1.35.4+rke2r1")}\n`;
    lab.standIn.site.vms.update("node01", 3001, (config) => {
      config.snapshots[NAME] = { snaptime: 1_700_000_000, description, config: config.values };
    });
    lab.guests.answer = async () => ({
      code: 0,
      stdout: `progress\n${JSON.stringify(measured)}\n`,
      stderr: "",
    });
  });
  afterEach(() => lab.end());

  const test = (changes: Partial<typeof inputs> = {}) =>
    testRestore(providerContext(), { ...inputs, ...changes });
  const leftOver = () => lab.guests.guests.has(9900);

  it("has the clone restore an etcd snapshot, and keeps what was measured", async () => {
    let asked: [readonly string[], string] = [[], ""];
    const { answer } = lab.guests;
    lab.guests.answer = async (command, input) => {
      asked = [command, input];
      assert.equal(lab.guests.guest(9900).linkUp, false);
      return answer(command, input);
    };
    const found = await test();
    assert.deepEqual([found.result, found.clone, found.evidence], ["passed", "linked", measured]);
    assert.match(found.why, /349 of 350 keys as they were saved, 1 written since, 0 missing/);
    assert.deepEqual(asked[0].slice(-5, -1), [
      "restore-check",
      "CR-2026-041",
      "v1.35.4+rke2r1",
      "10.25.20.11",
    ]);
    assert.match(asked[1], /--cluster-reset-restore-path/);
    assert.equal(leftOver(), false);
  });

  it("that fails says what the clone said and what to do, and leaves no VM", async () => {
    lab.guests.answer = async () => ({
      code: 1,
      stdout: "",
      stderr: "proj-k8sm01: restore-check: older\n  next: stop",
    });
    await assert.rejects(
      test(),
      /VM 3001, cloned to 9900\) failed, nothing was touched: .*older\n {2}next: stop\n {2}next: mend/s,
    );
    assert.equal(leftOver(), false);
  });

  it("whose VM cannot be started leaves none either", async () => {
    const start = lab.guests.start.bind(lab.guests);
    lab.guests.start = async (vmId, options) => {
      if (vmId === 9900) throw new Error("start failed: QEMU exited with code 1");
      return start(vmId, options);
    };
    await assert.rejects(test(), /QEMU exited with code 1/);
    assert.equal(leftOver(), false);
  });

  it("is not run where it is switched off or the storage cannot clone a snapshot, and says so", async () => {
    assert.match((await test({ enabled: false })).why, /enabled is false/);
    const { clusterFile } = lab.standIn.site;
    const { storages } = clusterFile.read();
    const { nvmethin01 } = storages;
    assert.ok(nvmethin01);
    clusterFile.change({ storages: { ...storages, nvmethin01: { ...nvmethin01, type: "zfspool" } } });
    const { result, why } = await test();
    assert.deepEqual([result, /cannot clone a snapshot \(ZFS cannot\)/.test(why)], ["not run", true]);
    assert.equal(lab.guests.history.includes("clone 3001"), false);
  });

  it("lets its etcd snapshot go by the node's own rke2, and fails with the node's words where that fails", async () => {
    const asked: string[] = [];
    let answer: string | undefined = "";
    const node = await playNode((command, stdin) => {
      asked.push(command);
      assert.match(String(stdin), /rke2_binary\)" etcd-snapshot delete/);
      return answer;
    });
    const { settings, ...secrets } = providerContext();
    const servers = settings.servers.map((server) => ({ ...server, ...node.target }));
    const context = { ...secrets, settings: { ...settings, servers }, sshPrivateKey: node.sshPrivateKey };
    try {
      await releaseRestoreTest(context, inputs.owner, "CR-1");
      assert.deepEqual(asked, ["sudo -n bash -s -- restore-point-release CR-1"]);
      answer = undefined;
      await assert.rejects(releaseRestoreTest(context, inputs.owner, "CR-1"), /the test's node refuses/);
    } finally {
      node.close();
    }
  });

  it("that was killed leaves a VM that goes whatever restoreTest.vmId says by then, and nobody else's does", async () => {
    const client = new ProxmoxClient(lab.access);
    const vm = {
      host: "node01",
      origin: 3001,
      snapshot: NAME,
      vmId: 9900,
      name: "restore-test-cr-1",
      run: "1",
    };
    const { settings, ...secrets } = providerContext();
    const context = {
      ...secrets,
      settings: { ...settings, restoreTest: { ...settings.restoreTest, vmId: 9901 } },
    };
    try {
      await bootTestVm(client, { ...vm, owner: "another" }, false, new Date(Date.now() + 10_000));
      await destroyLeftOvers(context, inputs.owner);
      assert.equal(leftOver(), true);
      await destroyLeftOvers(context, "another");
      assert.equal(leftOver(), false);
    } finally {
      await client.close();
    }
  });

  it("takes the newest of this change's snapshots, and none of another mark", async () => {
    lab.standIn.site.vms.update("node01", 3001, (config) => {
      const [first] = Object.values(config.snapshots);
      assert.ok(first);
      config.snapshots[`${NAME}-2`] = { ...first, snaptime: first.snaptime + 60 };
      config.snapshots[`${NAME}-3`] = { ...first, snaptime: first.snaptime + 120, description: "by hand" };
    });
    await lab.guests.snapshot(3001, `${NAME}-2`);
    assert.match((await test()).why, new RegExp(`snapshot ${NAME}-2 of`));
  });
});
