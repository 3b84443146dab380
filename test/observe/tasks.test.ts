import assert from "node:assert/strict";
import { lookAtTasks } from "../../observe/tasks";
import { ProxmoxClient } from "../../proxmox/client";
import { settingsFor } from "../proxmox/stack";
import { ADMIN_ID, ADMIN_SECRET, ProxmoxLab, TOKEN_ID, TOKEN_SECRET } from "../rehearsal/proxmox/lab";

describe("observe/tasks: what was done in Proxmox VE", () => {
  let lab: ProxmoxLab;
  before(async () => {
    lab = await ProxmoxLab.start();
  });
  after(() => lab.end());

  const hour = 3_600_000;
  const tasksOf = async (span = { from: Date.now() - hour, until: Date.now() + hour }) => {
    const hosts = await lookAtTasks(settingsFor(lab), TOKEN_SECRET, span);
    return [...hosts].flatMap(([host, seen]) =>
      "value" in seen
        ? seen.value.map(({ type, vmId, user, status }) => [host, type, vmId, user, status])
        : [[host, seen.missing]],
    );
  };

  it("has who did what to the cluster's VMs and to a host, by token or user, and nothing of others' VMs", async () => {
    const { tasks } = lab.standIn.site;
    const begin = (type: string, id: string, user: string, fails = false) =>
      tasks.start("node01", type, id, user, async () => {
        if (fails) throw new Error("no space left");
      });
    const admin = new ProxmoxClient({ ...lab.access, tokenId: ADMIN_ID, tokenSecret: ADMIN_SECRET });
    const own = new ProxmoxClient(lab.access);
    await own.post("/nodes/node01/qemu/3001/snapshot", { snapname: "mine" });
    await tasks.settled();
    await admin.post("/nodes/node03/qemu/3002/snapshot", { snapname: "theirs" });
    begin("vncshell", "", "root@pam");
    begin("vzdump", "9999", "root@pam");
    begin("vncproxy", "3001", "bob@pve", true);
    await tasks.settled();
    await Promise.all([own, admin].map((client) => client.close()));
    const found = await tasksOf();
    assert.deepEqual(
      new Set(found.map((one) => one.join(" "))),
      new Set([
        `node01 qmsnapshot 3001 ${TOKEN_ID} OK`,
        "node01 vncshell  root@pam OK",
        "node01 vncproxy 3001 bob@pve no space left",
        `node03 qmsnapshot 3002 ${ADMIN_ID} OK`,
      ]),
    );
    assert.deepEqual(await tasksOf({ from: Date.now() - 2 * hour, until: Date.now() - hour }), []);
  });

  it("does not take its own tasks for all there are where it may not see others'", async () => {
    const { clusterFile } = lab.standIn.site;
    const { acl } = clusterFile.read();
    const denied = { path: "/nodes/node03", ugid: TOKEN_ID, roleid: "NoAccess", propagate: true };
    clusterFile.change({ acl: [...acl, denied] });
    try {
      const hosts = (await tasksOf()).filter(([host]) => host === "node03");
      assert.match(String(hosts[0]?.[1]), /lacks Sys\.Audit on \/nodes\/node03/);
    } finally {
      clusterFile.change({ acl });
    }
  });
});
