import { deepEqual, equal, ok } from "node:assert/strict";
import { Api, tokenHeader } from "./api";
import { ADMIN_ID, ProxmoxLab, TOKEN_ID, TOKEN_SECRET } from "./lab";

const vm = "/nodes/node01/qemu/3001";

describe("Proxmox VE stand-in: answers", () => {
  let lab: ProxmoxLab;
  let api: Api;
  before(async () => {
    lab = await ProxmoxLab.start();
    api = new Api(lab);
  });
  after(() => lab.end());

  it("are JSON of exactly Proxmox VE's content type, good and bad", async () => {
    for (const path of ["/version", "/nonsense", "/nodes/node01/qemu/999/config"]) {
      const { headers, body } = await api.ask("GET", path);
      equal(headers["content-type"], "application/json;charset=UTF-8", path);
      ok("data" in body, path);
    }
  });

  it("take a form and JSON alike", async () => {
    const form = { snapname: "by-form", description: "ä & ö", vmstate: "0" };
    const json = { snapname: "by-json", description: "ä & ö", vmstate: false };
    equal((await api.task("POST", `${vm}/snapshot`, { form })).exit, "OK");
    equal((await api.task("POST", `${vm}/snapshot`, { json })).exit, "OK");
    for (const name of ["by-form", "by-json"]) {
      equal((await api.data("GET", `${vm}/snapshot/${name}/config`)).description, "ä & ö\n");
    }
  });

  it("refuse credentials with an empty body, after three seconds", async function () {
    this.timeout(15_000);
    const began = Date.now();
    const refused = await Promise.all([
      api.ask("GET", "/version", { authorization: tokenHeader(ADMIN_ID, "wrong") }),
      api.ask("GET", "/version", { authorization: tokenHeader("nobody@pve!none", "wrong") }),
      api.ask("GET", "/version", { authorization: "" }),
    ]);
    deepEqual(
      refused.map(({ status, reason, text }) => [status, reason, text]),
      [
        [401, "invalid token value!", ""],
        [401, "no such token 'none' for user 'nobody@pve'", ""],
        [401, "No ticket", ""],
      ],
    );
    ok(Date.now() - began >= 3000);
  });

  it("name the path and the privilege that is missing, before anything else is looked at", async () => {
    const authorization = tokenHeader(TOKEN_ID, TOKEN_SECRET);
    const path = "/nodes/node01/qemu/999";
    const { status, body } = await api.ask("DELETE", `${path}?nonsense=1`, { authorization });
    equal(status, 403);
    deepEqual(body, { data: null, message: "Permission check failed (/vms/999, VM.Allocate)\n" });
  });

  it("name every parameter that breaks its schema", async () => {
    const { status, reason, body } = await api.ask("POST", `${vm}/snapshot`, {
      form: { snapname: "x".repeat(41), vmstate: "perhaps", nonsense: "1" },
    });
    equal(status, 400);
    equal(reason, "Parameter verification failed.");
    deepEqual(body, {
      data: null,
      message: "Parameter verification failed.\n",
      errors: {
        snapname: "value may only be 40 characters long",
        vmstate: "type check ('boolean') failed - got 'perhaps'",
        nonsense: "property is not defined in schema and the schema does not allow additional properties",
      },
    });
  });

  it("refuse a body where there can be none", async () => {
    const { status, reason } = await api.ask("DELETE", `${vm}/snapshot/any`, { form: { force: "1" } });
    equal(status, 501);
    equal(reason, "Unexpected content for method 'DELETE'");
  });

  it("tell a host that is unknown from one that cannot be reached", async () => {
    const unknown = await api.ask("GET", "/nodes/node99/qemu");
    equal(unknown.status, 500);
    equal(unknown.reason.startsWith("hostname lookup 'node99' failed"), true);
    lab.fault("node-offline-node03");
    const { status, reason } = await api.ask("GET", "/nodes/node03/qemu");
    lab.heal("node-offline-node03");
    deepEqual([status, reason], [595, "No route to host"]);
    lab.fault("node-hangs-node03");
    equal((await api.ask("GET", "/nodes/node03/qemu")).status, 596);
    lab.heal("node-hangs-node03");
  });

  it("leave out silently what the caller may not see", async () => {
    const { clusterFile } = lab.standIn.site;
    const before = clusterFile.read();
    const none = { path: "/vms/3001", ugid: TOKEN_ID, roleid: "NoAccess", propagate: true };
    clusterFile.change({ acl: [...before.acl, none] });
    const authorization = tokenHeader(TOKEN_ID, TOKEN_SECRET);
    const seen = await api.data("GET", "/cluster/resources?type=vm", { authorization });
    const config = await api.ask("GET", `${vm}/config`, { authorization });
    clusterFile.change(before);
    deepEqual(
      (seen as { vmid: number }[]).map(({ vmid }) => vmid),
      [3002, 3007],
    );
    equal(config.body.message, "Permission check failed (/vms/3001, VM.Audit)\n");
  });

  it("grant a separated token what it and its user both have, and tell it so", async () => {
    const { clusterFile } = lab.standIn.site;
    const before = clusterFile.read();
    const [owner = ""] = TOKEN_ID.split("!");
    const auditor = { path: "/", ugid: owner, roleid: "PVEAuditor", propagate: true };
    clusterFile.change({ acl: [...before.acl.filter(({ ugid }) => ugid !== owner), auditor] });
    const authorization = tokenHeader(TOKEN_ID, TOKEN_SECRET);
    const rights = await api.data("GET", "/access/permissions", { authorization });
    const form = { snapname: "before" };
    const { body } = await api.ask("POST", `${vm}/snapshot`, { form, authorization });
    clusterFile.change(before);
    deepEqual(rights["/"], { "Datastore.Audit": 1, "Pool.Audit": 1, "Sys.Audit": 1, "VM.Audit": 1 });
    equal(body.message, "Permission check failed (/vms/3001, VM.Snapshot)\n");
  });

  it("refuse changes without a quorum, and still tell of it", async () => {
    const { clusterFile } = lab.standIn.site;
    clusterFile.change({ quorate: false });
    const { status, reason } = await api.ask("POST", `${vm}/snapshot`, { form: { snapname: "before" } });
    const [cluster] = await api.data("GET", "/cluster/status");
    clusterFile.change({ quorate: true });
    deepEqual([status, reason], [500, "cluster not ready - no quorum?"]);
    equal(cluster.quorate, 0);
  });

  it("show a token its own tasks, and those of others with Sys.Audit alone", async () => {
    const upid = await api.data("POST", `${vm}/snapshot`, { form: { snapname: "admins" } });
    await api.taskEnd(upid);
    const { clusterFile } = lab.standIn.site;
    const before = clusterFile.read();
    clusterFile.change({ roles: { ...before.roles, RKE2Upgrade: ["VM.Audit", "VM.Snapshot"] } });
    const authorization = tokenHeader(TOKEN_ID, TOKEN_SECRET);
    const path = `/nodes/node01/tasks/${encodeURIComponent(upid)}/status`;
    const { status } = await api.ask("GET", path, { authorization });
    const listed = (await api.data("GET", "/cluster/tasks", { authorization })) as { upid: string }[];
    clusterFile.change(before);
    equal(status, 403);
    equal(
      listed.some((task) => task.upid === upid),
      false,
    );
    equal((await api.ask("GET", path, { authorization })).status, 200);
  });
});
