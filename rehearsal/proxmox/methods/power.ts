import { PveError } from "../errors";
import { type Call, isRunning, type Method, onVm, type Site, target } from "../method";
import { count, flag, optional } from "../parameters";
import { checkLock } from "../vms";
import { isLinkDown } from "./config";

const base = "/nodes/{node}/qemu/{vmid}/status";

/** Seconds that a guest is given to power off where the request names none. */
const SHUTDOWN_SECONDS = 60;

/** What a task does to its VM, once that is known to be there and free. */
type PowerWork = (vmId: number) => Promise<void>;

/** Starts a task on the VM; a VM that is not there or is locked fails inside it. */
function powerTask(site: Site, call: Call, type: string, work: PowerWork) {
  const { node, vmId } = target(call);
  return site.tasks.start(node, type, String(vmId), call.who, async () => {
    checkLock(site.vms.load(node, vmId));
    await site.tasks.takeTime();
    await work(vmId);
  });
}

/** The same for powering off: one that is off is left so, whatever holds it. */
function powerOffTask(site: Site, call: Call, type: string, work: PowerWork) {
  const { node, vmId } = target(call);
  return site.tasks.start(node, type, String(vmId), call.who, async () => {
    const config = site.vms.load(node, vmId);
    if (!(await isRunning(site, vmId))) return;
    checkLock(config);
    await site.tasks.takeTime();
    await work(vmId);
  });
}

/** Powers on, with the cable in or out as the VM's config says. */
async function powerOn(site: Site, call: Call): Promise<void> {
  const { node, vmId } = target(call);
  await site.guests.start(vmId, { linkDown: isLinkDown(site.vms.load(node, vmId).values.net0) });
}

/** Power on, off and through. */
export const powerMethods: readonly Method[] = [
  {
    method: "POST",
    path: `${base}/start`,
    parameters: { timeout: optional(count) },
    permission: onVm("VM.PowerMgmt"),
    run: (site, call) =>
      powerTask(site, call, "qmstart", async (vmId) => {
        if (await isRunning(site, vmId)) throw new PveError(`VM ${vmId} already running`);
        await powerOn(site, call);
      }),
  },
  {
    method: "POST",
    path: `${base}/stop`,
    parameters: { timeout: optional(count), "overrule-shutdown": optional(flag) },
    permission: onVm("VM.PowerMgmt"),
    run: (site, call) => powerOffTask(site, call, "qmstop", (vmId) => site.guests.stop(vmId)),
  },
  {
    method: "POST",
    path: `${base}/shutdown`,
    parameters: { timeout: optional(count), forceStop: optional(flag) },
    permission: onVm("VM.PowerMgmt"),
    run(site, call) {
      const seconds = Number(call.values.timeout ?? SHUTDOWN_SECONDS);
      return powerOffTask(site, call, "qmshutdown", (vmId) => site.guests.shutdown(vmId, seconds));
    },
  },
  {
    method: "POST",
    path: `${base}/reboot`,
    parameters: { timeout: optional(count) },
    permission: onVm("VM.PowerMgmt"),
    async run(site, call) {
      const { node, vmId: id } = target(call);
      site.vms.load(node, id);
      if (!(await isRunning(site, id))) throw new PveError(`VM ${id} not running`);
      const seconds = Number(call.values.timeout ?? SHUTDOWN_SECONDS);
      return powerTask(site, call, "qmreboot", async (vmId) => {
        await site.guests.shutdown(vmId, seconds);
        await powerOn(site, call);
      });
    },
  },
];
