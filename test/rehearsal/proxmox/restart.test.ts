import { deepEqual, equal } from "node:assert/strict";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until } from "../../../rehearsal/machines/poll";
import { startStandIn } from "../../../rehearsal/proxmox/standIn";
import { Api } from "./api";
import { ProxmoxLab, TOKEN_ID, TOKEN_SECRET } from "./lab";

const vm = "/nodes/node01/qemu/3001";

describe("Proxmox VE stand-in: a new daemon on the old state", () => {
  let lab: ProxmoxLab;
  let api: Api;
  beforeEach(async () => {
    lab = await ProxmoxLab.start();
    api = new Api(lab);
  });
  afterEach(() => lab.end());

  it("has the same certificate, token, snapshots and tasks", async () => {
    const before = lab.access.caCertificate;
    const upid = await api.data("POST", `${vm}/snapshot`, { form: { snapname: "before" } });
    await api.taskEnd(upid);
    await lab.restart();
    equal(lab.access.caCertificate, before);
    equal((await api.taskEnd(upid)).exit, "OK");
    equal((await api.data("GET", `${vm}/snapshot`))[0].name, "before");
  });

  it("ends the tasks that the old one's death cut off, and leaves their locks", async () => {
    lab.fault("task-seconds", "2");
    const upid = await api.data("POST", `${vm}/snapshot`, { form: { snapname: "before" } });
    await until("a lock", 2, () => api.lock(vm), 10);
    // A copy of the state of that moment is what a killed daemon, or a checkpoint, leaves.
    const state = await mkdtemp(join(tmpdir(), "proxmox-copy-"));
    await cp(lab.state, state, { recursive: true });
    const topology = {
      nodes: [{ name: "proj-k8sm01", vmId: 3001, proxmoxNode: "node01" }],
      proxmox: { tokenId: TOKEN_ID, tokenSecret: TOKEN_SECRET },
    };
    const standIn = await startStandIn({
      ...{ topology, state, address: "127.0.0.1", port: 0, guests: lab.guests },
    });
    const { exitstatus } = standIn.site.tasks.get(upid);
    const { lock, snapshots } = standIn.site.vms.load("node01", 3001);
    await standIn.close();
    await rm(state, { recursive: true });
    deepEqual([exitstatus, lock, snapshots.before?.snapstate], ["unexpected status", "snapshot", "prepare"]);
    lab.heal("task-seconds");
  });
});
