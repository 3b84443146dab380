import { deepEqual, equal, match, rejects } from "node:assert/strict";
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { until } from "../../../rehearsal/machines/poll";
import { Api } from "./api";
import { ProxmoxLab } from "./lab";

const vm = "/nodes/node01/qemu/3001";

describe("Proxmox VE stand-in: snapshots", () => {
  let lab: ProxmoxLab;
  let api: Api;
  beforeEach(async () => {
    lab = await ProxmoxLab.start();
    api = new Api(lab);
  });
  afterEach(() => lab.end());

  const take = (snapname: string) => api.task("POST", `${vm}/snapshot`, { form: { snapname } });
  const names = async () =>
    ((await api.data("GET", `${vm}/snapshot`)) as { name: string }[]).map(({ name }) => name);

  /** Runs the stand-in for `qm`, as an operator on a host would. */
  const qm = (...args: string[]) =>
    promisify(execFile)(process.execPath, [
      ...["--require", "ts-node/register/transpile-only", "rehearsal/proxmox/qm.ts"],
      ...[...args, "--state", lab.state],
    ]);

  /** Starts a task and sees the lock that it holds while it runs. */
  async function lockDuring(method: string, path: string, form?: Record<string, string>) {
    lab.fault("task-seconds", "0.3");
    const upid = await api.data(method, path, form && { form });
    const lock = await until("a lock", 2, () => api.lock(vm), 10);
    const { exit } = await api.taskEnd(upid);
    lab.heal("task-seconds");
    return { lock, exit };
  }

  it("keep a disk that a rollback puts back, the machine off", async () => {
    await take("before");
    lab.guests.guest(3001).disk = "v2";
    equal((await api.task("POST", `${vm}/snapshot/before/rollback`)).exit, "OK");
    equal(lab.guests.guest(3001).disk, "v1");
    equal((await api.data("GET", `${vm}/status/current`)).status, "stopped");
  });

  it("start the machine after a rollback only when asked to", async () => {
    await take("before");
    equal((await api.task("POST", `${vm}/snapshot/before/rollback`, { form: { start: "1" } })).exit, "OK");
    equal((await api.data("GET", `${vm}/status/current`)).status, "running");
  });

  it("put the config of their time back, its description aside", async () => {
    await take("before");
    lab.standIn.site.vms.update("node01", 3001, (config) => {
      config.values = { ...config.values, cores: 99 };
    });
    await api.task("POST", `${vm}/snapshot/before/rollback`);
    const { cores, parent } = await api.data("GET", `${vm}/config`);
    deepEqual({ cores, parent }, { cores: 4, parent: "before" });
  });

  it("hang together by their parents, also when one between is deleted", async () => {
    for (const name of ["one", "two", "three"]) await take(name);
    await api.task("DELETE", `${vm}/snapshot/two`);
    const list: { name: string; parent?: string }[] = await api.data("GET", `${vm}/snapshot`);
    deepEqual(
      list.map(({ name, parent }) => [name, parent]),
      [
        ["one", undefined],
        ["three", "one"],
        ["current", "three"],
      ],
    );
  });

  it("hold a lock of their own kind while the task runs, and let it go", async () => {
    deepEqual(await lockDuring("POST", `${vm}/snapshot`, { snapname: "before" }), {
      lock: "snapshot",
      exit: "OK",
    });
    deepEqual(await lockDuring("POST", `${vm}/snapshot/before/rollback`), { lock: "rollback", exit: "OK" });
    deepEqual(await lockDuring("DELETE", `${vm}/snapshot/before`), { lock: "snapshot-delete", exit: "OK" });
    equal(await api.lock(vm), undefined);
  });

  it("refuse a second task on the same machine meanwhile, inside that task", async () => {
    lab.fault("task-seconds", "0.3");
    const first = await api.data("POST", `${vm}/snapshot`, { form: { snapname: "first" } });
    await until("a lock", 2, () => api.lock(vm), 10);
    const second = await take("second");
    equal(second.exit, "VM is locked (snapshot)");
    equal(second.log.at(-1), "TASK ERROR: VM is locked (snapshot)");
    equal((await api.taskEnd(first)).exit, "OK");
    deepEqual(await names(), ["first", "current"]);
  });

  it("leave nothing behind when taking one fails", async () => {
    lab.fault("task-fails-qmsnapshot-3001");
    const { exit, log } = await take("before");
    match(exit, /^lvcreate snapshot 'nvmethin01\/snap_vm-3001-disk-0_before' error: /);
    equal(log.includes("snapshot create failed: starting cleanup"), true);
    deepEqual(await names(), ["current"]);
    equal(await api.lock(vm), undefined);
  });

  it("leave the lock when deleting one fails, until an operator takes it away", async () => {
    await take("before");
    lab.fault("task-fails-qmdelsnapshot");
    match((await api.task("DELETE", `${vm}/snapshot/before`)).exit, /^lvremove snapshot /);
    lab.heal("task-fails-qmdelsnapshot");
    equal(await api.lock(vm), "snapshot-delete");
    equal((await api.task("DELETE", `${vm}/snapshot/before`)).exit, "VM is locked (snapshot-delete)");
    const incomplete = "unable to rollback to incomplete snapshot (snapstate = delete)";
    equal((await api.task("POST", `${vm}/snapshot/before/rollback`)).exit, incomplete);
    await qm("unlock", "3001");
    equal((await api.task("DELETE", `${vm}/snapshot/before`)).exit, "OK");
    deepEqual(await names(), ["current"]);
  });

  it("cannot be unlocked on a machine that is not there", async () => {
    await rejects(qm("unlock", "999"), /VM 999 does not exist/);
  });

  it("leave the lock and a machine that is off when a rollback fails", async () => {
    await take("before");
    lab.guests.guest(3001).disk = "v2";
    lab.fault("task-fails-qmrollback-3001", "the disk is gone");
    equal((await api.task("POST", `${vm}/snapshot/before/rollback`)).exit, "the disk is gone");
    equal(await api.lock(vm), "rollback");
    equal(lab.guests.guest(3001).running, false);
    equal(lab.guests.guest(3001).disk, "v2");
    equal((await api.task("POST", `${vm}/status/start`)).exit, "VM is locked (rollback)");
  });

  it("wait for no backup that holds the machine", async () => {
    lab.fault("vm-locked-3001");
    equal(await api.lock(vm), "backup");
    equal((await take("before")).exit, "VM is locked (backup)");
    const listed = (await api.data("GET", "/cluster/resources?type=vm")) as { vmid: number; lock?: string }[];
    equal(listed.find(({ vmid }) => vmid === 3001)?.lock, "backup");
    lab.heal("vm-locked-3001");
    equal((await take("before")).exit, "OK");
  });

  it("say in the task's log, and nowhere else, that the file systems were not frozen", async () => {
    lab.fault("agent-down-3001");
    const { exit, log } = await take("before");
    equal(exit, "OK");
    equal(log.includes("skipping guest filesystem freeze - agent configured but not running?"), true);
  });

  it("hold no RAM, and do not claim to", async () => {
    const form = { snapname: "before", vmstate: "1" };
    equal(
      (await api.task("POST", `${vm}/snapshot`, { form })).exit,
      "not simulated: vmstate=1 for a running VM",
    );
    deepEqual(await names(), ["current"]);
  });

  it("are refused at once by a name that stands for the machine, and for a machine that is not there", async () => {
    const reserved = await api.ask("POST", `${vm}/snapshot`, { form: { snapname: "current" } });
    equal(reserved.status, 500);
    equal(reserved.body.message, "unable to use snapshot name 'current' (reserved name)\n");
    const nobody = await api.ask("POST", "/nodes/node01/qemu/999/snapshot", { form: { snapname: "before" } });
    equal(nobody.body.message, "Configuration file 'nodes/node01/qemu-server/999.conf' does not exist\n");
  });

  it("age by two days when told to, those taken later do not", async () => {
    const age = async (wanted: string) => {
      const list = (await api.data("GET", `${vm}/snapshot`)) as { name: string; snaptime: number }[];
      return Date.now() / 1000 - (list.find(({ name }) => name === wanted)?.snaptime ?? 0);
    };
    await take("before");
    lab.fault("snapshots-old-3001");
    // Proxmox VE's times are whole seconds: the later one must fall into another.
    await until(
      "the next second",
      3,
      async () => Math.floor(Date.now() / 1000) * 1000 > lab.faultTime("snapshots-old-3001"),
    );
    await take("after");
    equal((await age("before")) > 2 * 86_400 - 10, true);
    equal((await age("after")) < 60, true);
  });
});
