import assert from "node:assert/strict";
import { ProxmoxClient } from "../../proxmox/client";
import { deleteSnapshot, listSnapshots } from "../../proxmox/snapshots";
import { provider } from "../../proxmox/vmSnapshotProvider";
import { playNode } from "../components/playedNode";
import { nodesWith } from "../config/lab";
import { ProxmoxLab, TOKEN_SECRET } from "../rehearsal/proxmox/lab";
import { configureRequest } from "./stack";

const inputs = {
  name: "rke2-v1-35-4-r1-CR-1",
  vmId: 3001,
  acceptedVersion: "v1.35.4+rke2r1",
  description: "proj-k8sm01 before CR-1",
};

describe("VmSnapshot's provider", () => {
  let lab: ProxmoxLab;
  const outputs = { ...inputs, takenAt: "", upid: "", crashConsistent: false, seconds: 0 };
  const changes = async (change: Partial<typeof inputs>) =>
    await provider.diff?.("3001/x", outputs, { ...inputs, ...change });

  before(async () => {
    lab = await ProxmoxLab.start();
    await provider.configure?.(configureRequest(lab) as never);
  });
  after(() => lab.end());

  it("is another one for another name or VM", async () => {
    assert.deepEqual(await changes({ name: "rke2-v1-36-3-r1-CR-2" }), { changes: true, replaces: ["name"] });
    assert.deepEqual(await changes({ vmId: 3002 }), { changes: true, replaces: ["vmId"] });
  });

  it("takes the snapshot, tells how it went, and no secret", async () => {
    const { id, outs } = await provider.create(inputs);
    assert.equal(id, "3001/rke2-v1-35-4-r1-CR-1");
    assert.ok(outs);
    assert.match(outs.takenAt, /^20\d\d-.*Z$/);
    assert.match(outs.upid, /qmsnapshot:3001/);
    assert.equal(outs.crashConsistent, false);
    assert.doesNotMatch(JSON.stringify(outs), new RegExp(TOKEN_SECRET));
  });

  it("gives the same after a run that was killed before it could say so", async () => {
    const first = (await provider.create(inputs)).outs;
    const second = (await provider.create(inputs)).outs;
    assert.deepEqual({ ...second, seconds: 0 }, { ...first, seconds: 0 });
    assert.equal(lab.guests.history.filter((what) => what === "snapshot 3001").length, 1);
  });

  it("leaves what is there alone whatever is described or accepted now", async () => {
    for (const change of [{}, { description: "another" }, { acceptedVersion: "v1.36.3+rke2r1" }]) {
      assert.deepEqual(await changes(change), { changes: false, replaces: [] });
    }
  });

  it("deletes nothing", async () => {
    await provider.delete?.("3001/rke2-v1-35-4-r1-CR-1", outputs);
    const client = new ProxmoxClient(lab.access);
    assert.equal((await listSnapshots(client, "node01", 3001)).length, 1);
    await client.close();
  });

  it("takes another one where somebody deleted it", async () => {
    const client = new ProxmoxClient(lab.access);
    await deleteSnapshot(client, 3001, inputs.name, new Date(Date.now() + 20_000));
    assert.deepEqual(await changes({}), { changes: true, replaces: [] });
    await provider.update?.("3001/rke2-v1-35-4-r1-CR-1", outputs, inputs);
    assert.equal((await listSnapshots(client, "node01", 3001)).length, 1);
    assert.deepEqual(await changes({}), { changes: false, replaces: [] });
    await client.close();
  });

  describe("of a server", () => {
    let steps: string[];
    let running: string;
    let node: Awaited<ReturnType<typeof playNode>>;
    let client: ProxmoxClient;
    const taken = () => lab.guests.history.filter((what) => what === "snapshot 3001").length;

    beforeEach(async () => {
      steps = [];
      node = await playNode((command) => {
        const step = /bash -s -- (\S+)/.exec(command)?.[1];
        if (step === "look-node")
          return `versionOnDisk=${running}\nversionRunning=${running}\nservice=active\n`;
        steps.push(`${step} (${taken()})`);
        return "{}";
      });
      const { address, port, hostKey } = node.target;
      const request = configureRequest(lab, {
        // The second is asked about the cluster's health.
        nodes: nodesWith(0, { address, hostKey }).map((node, i) =>
          i === 1 ? { ...node, address: "localhost", internalIp: "10.25.20.12", hostKey } : node,
        ),
        ssh: { user: "test", port },
        sshPrivateKey: node.sshPrivateKey,
      });
      await provider.configure?.(request as never);
      client = new ProxmoxClient(lab.access);
      await deleteSnapshot(client, 3001, inputs.name, new Date(Date.now() + 20_000));
    });
    afterEach(async () => {
      node.close();
      await client.close();
      await provider.configure?.(configureRequest(lab) as never);
    });
    const again = () => provider.update?.("3001/x", outputs, { ...inputs, owner: "1f0c" });

    it("takes another one with RKE2 at rest, as the first was", async () => {
      running = inputs.acceptedVersion;
      const before = taken();
      await again();
      assert.deepEqual(steps, [
        `leader-away (${before})`,
        `release-hold (${before + 1})`,
        `check-health (${before + 1})`,
      ]);
    });

    it("takes none of what is no longer as it was before the change", async () => {
      await provider.create(inputs);
      running = "v1.36.3+rke2r1";
      const before = taken();
      await assert.rejects(async () => again(), /another one would be no way back\. next: /);
      assert.deepEqual([steps, taken()], [[], before]);
    });
  });
});
