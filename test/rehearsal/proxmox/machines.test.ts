import { deepEqual, equal } from "node:assert/strict";
import { Api } from "./api";
import { ProxmoxLab } from "./lab";

const qemu = "/nodes/node01/qemu";
const vm = `${qemu}/3001`;

describe("Proxmox VE stand-in: machines", () => {
  let lab: ProxmoxLab;
  let api: Api;
  beforeEach(async () => {
    lab = await ProxmoxLab.start();
    api = new Api(lab);
  });
  afterEach(() => lab.end());

  const power = async (action: string, path = vm) =>
    (await api.task("POST", `${path}/status/${action}`)).exit;
  const running = () => lab.guests.guest(3001).running;

  it("are powered off, on and through", async () => {
    equal(await power("start"), "VM 3001 already running");
    deepEqual([await power("reboot"), running()], ["OK", true]);
    deepEqual([await power("shutdown"), running()], ["OK", false]);
    deepEqual([await power("start"), running()], ["OK", true]);
    deepEqual([await power("stop"), running()], ["OK", false]);
    deepEqual(lab.guests.history, [
      "shutdown 3001",
      "start 3001",
      "shutdown 3001",
      "start 3001",
      "stop 3001",
    ]);
  });

  it("that are off are stopped without complaint, and rebooted not at all", async () => {
    await power("stop");
    equal(await power("stop"), "OK");
    equal(await power("shutdown"), "OK");
    const { status, body } = await api.ask("POST", `${vm}/status/reboot`);
    deepEqual([status, body.message], [500, "VM 3001 not running\n"]);
  });

  it("that are locked stay as they are", async () => {
    lab.fault("vm-locked-3001");
    equal(await power("stop"), "VM is locked (backup)");
    equal(running(), true);
  });

  it("that are not there fail inside the task", async () => {
    equal(
      await power("start", `${qemu}/999`),
      "Configuration file 'nodes/node01/qemu-server/999.conf' does not exist",
    );
  });

  it("are cloned from a snapshot with the disk of that time, powered off, and destroyed", async () => {
    await api.task("POST", `${vm}/snapshot`, { form: { snapname: "before" } });
    lab.guests.guest(3001).disk = "v2";
    const newid = await api.data("GET", "/cluster/nextid");
    const form = { newid, name: "copy", snapname: "before", full: "0" };
    equal((await api.task("POST", `${vm}/clone`, { form })).exit, "OK");
    const { disk, running } = lab.guests.guest(Number(newid));
    deepEqual([disk, running], ["v1", false]);
    deepEqual((await api.data("GET", `${qemu}/${newid}/config`)).name, "copy");
    const again = await api.ask("POST", `${vm}/clone`, { form });
    equal(again.body.message, `unable to create VM ${newid}: config file already exists\n`);
    equal((await api.task("DELETE", `${qemu}/${newid}?purge=1`)).exit, "OK");
    equal((await api.ask("GET", `${qemu}/${newid}/config`)).status, 500);
  });

  it("that run are not destroyed", async () => {
    const { status, body } = await api.ask("DELETE", vm);
    deepEqual([status, body.message], [500, "VM 3001 is running - destroy failed\n"]);
    equal(running(), true);
  });
});
