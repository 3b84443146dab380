import assert from "node:assert/strict";
import { z } from "zod";
import { ProxmoxClient } from "../../proxmox/client";
import { ProxmoxError } from "../../proxmox/errors";
import { findVm, isRunning, listVms } from "../../proxmox/vms";
import { ProxmoxLab } from "../rehearsal/proxmox/lab";

describe("Proxmox VE client", () => {
  let lab: ProxmoxLab;
  const clients: ProxmoxClient[] = [];

  const connect = (change: Partial<ProxmoxLab["access"]> = {}) => {
    const client = new ProxmoxClient({ ...lab.access, ...change });
    clients.push(client);
    return client;
  };

  before(async () => {
    lab = await ProxmoxLab.start();
  });
  afterEach(async () => {
    await Promise.all(clients.splice(0).map((client) => client.close()));
  });
  after(() => lab.end());

  /** How the call failed. */
  async function failure(call: Promise<unknown>): Promise<ProxmoxError> {
    try {
      await call;
    } catch (error) {
      assert.ok(error instanceof ProxmoxError, String(error));
      return error;
    }
    throw new Error("the call did not fail");
  }

  it("finds a VM on the host where it is now", async () => {
    const client = connect();
    assert.deepEqual(
      (await listVms(client)).map(({ vmId, host }) => ({ vmId, host })),
      [
        { vmId: 3001, host: "node01" },
        { vmId: 3002, host: "node03" },
        { vmId: 3007, host: "node07" },
      ],
    );
    lab.move(3002, "node03", "node07");
    assert.equal((await findVm(client, 3002)).host, "node07");
    lab.move(3002, "node07", "node03");
  });

  it("knows by its host whether a machine runs", async () => {
    const client = connect();
    const place = { host: "node01", vmId: 3001 };
    // The cluster's list would go on saying so for ten seconds (test/rehearsal/proxmox/statd.test.ts).
    await listVms(client);
    assert.equal(await isRunning(client, place), true);
    await lab.guests.stop(3001);
    assert.equal(await isRunning(client, place), false);
    await lab.guests.start(3001);
  });

  it("takes a VM that is not listed for a failure, and names the right that may be missing", async () => {
    const error = await failure(findVm(connect(), 4711));
    assert.match(error.message, /VM 4711 is not listed.*next: .*VM\.Audit on \/vms\/4711/);
  });

  it("refuses a server whose authority it was not given", async () => {
    const error = await failure(connect({ caCertificate: undefined }).get("/version", z.unknown()));
    assert.equal(error.status, 0);
    assert.match(error.message, /next: set proxmox\.caCertificate/);
  });

  it("says which address it cannot reach", async () => {
    const error = await failure(connect({ endpoint: "https://127.0.0.1:1" }).get("/version", z.unknown()));
    assert.match(error.message, /https:\/\/127\.0\.0\.1:1 cannot be reached \(ECONNREFUSED\)/);
  });

  it("tells a refused token with Proxmox VE's reason, and never shows the secret", async () => {
    const secret = "00000000-dead-beef-0000-000000000000";
    const error = await failure(connect({ tokenSecret: secret }).get("/version", z.unknown()));
    assert.equal(error.status, 401);
    assert.match(error.message, /invalid token value!.*next: check proxmox\.tokenId and proxmoxTokenSecret/);
    assert.doesNotMatch(error.message + error.stack, new RegExp(secret));
  });

  it("tells a missing right in Proxmox VE's words", async () => {
    const { clusterFile } = lab.standIn.site;
    const { acl } = clusterFile.read();
    clusterFile.change({ acl: acl.filter(({ ugid }) => ugid !== "rke2-upgrade@pve!operator") });
    try {
      const error = await failure(connect().post("/nodes/node01/qemu/3001/snapshot", { snapname: "mine" }));
      assert.equal(error.status, 403);
      assert.match(error.message, /Permission check failed \(\/vms\/3001, VM\.Snapshot\).*next: grant/);
      // The list, however, is only shorter.
      assert.deepEqual(await listVms(connect()), []);
    } finally {
      clusterFile.change({ acl });
    }
  });

  it("tells which parameter is wrong", async () => {
    const error = await failure(connect().post("/nodes/node01/qemu/3001/snapshot", { snapname: "1st" }));
    assert.equal(error.status, 400);
    assert.match(error.message, /Parameter verification failed\.; snapname: invalid format/);
  });

  it("refuses an answer of another shape than it asked for", async () => {
    const error = await failure(connect().get("/version", z.object({ version: z.number() })));
    assert.match(error.message, /GET \/version: an answer of an unknown shape/);
  });
});
