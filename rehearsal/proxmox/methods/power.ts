import { PveError } from "../errors";
import { type Call, type Method, onVm, type Site, target } from "../method";
import { count, flag, optional } from "../parameters";
import type { Log } from "../tasks";
import { checkLock } from "../vms";

const base = "/nodes/{node}/qemu/{vmid}/status";

/** Seconds that a guest is given to power off where the request names none. */
const SHUTDOWN_SECONDS = 60;

async function isRunning({ guests }: Site, vmId: number): Promise<boolean> {
  return (await guests.list()).some((guest) => guest.vmId === vmId && guest.running);
}

/** Starts a task on the VM; a VM under HA only has its wish recorded, and is answered OK. */
function powerTask(site: Site, call: Call, type: string, work: (vmId: number, log: Log) => Promise<void>) {
  const { node, vmId } = target(call);
  site.vms.load(node, vmId);
  return site.tasks.start(node, type, String(vmId), call.who, async (log) => {
    checkLock(site.vms.load(node, vmId));
    await work(vmId, log);
  });
}

async function requireRunning(site: Site, call: Call): Promise<void> {
  const { node, vmId } = target(call);
  site.vms.load(node, vmId);
  if (!(await isRunning(site, vmId))) throw new PveError(`VM ${vmId} not running`);
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
        await site.guests.start(vmId);
      }),
  },
  {
    method: "POST",
    path: `${base}/stop`,
    parameters: { timeout: optional(count), "overrule-shutdown": optional(flag) },
    permission: onVm("VM.PowerMgmt"),
    run: (site, call) =>
      powerTask(site, call, "qmstop", async (vmId) => {
        if (await isRunning(site, vmId)) await site.guests.stop(vmId);
      }),
  },
  {
    method: "POST",
    path: `${base}/shutdown`,
    parameters: { timeout: optional(count), forceStop: optional(flag) },
    permission: onVm("VM.PowerMgmt"),
    async run(site, call) {
      await requireRunning(site, call);
      const seconds = Number(call.values.timeout ?? SHUTDOWN_SECONDS);
      return powerTask(site, call, "qmshutdown", (vmId) => site.guests.shutdown(vmId, seconds));
    },
  },
  {
    method: "POST",
    path: `${base}/reboot`,
    parameters: { timeout: optional(count) },
    permission: onVm("VM.PowerMgmt"),
    async run(site, call) {
      await requireRunning(site, call);
      const seconds = Number(call.values.timeout ?? SHUTDOWN_SECONDS);
      return powerTask(site, call, "qmreboot", async (vmId) => {
        await site.guests.shutdown(vmId, seconds);
        await site.guests.start(vmId);
      });
    },
  },
];
