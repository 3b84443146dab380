import { readFileSync } from "node:fs";
import { uptime } from "node:os";
import { PveError } from "../errors";
import { type Call, type Method, may, onVm, type Site, target } from "../method";
import { configId, flag, optional } from "../parameters";
import { snapshotOf } from "../snapshotWork";
import { checkLock, digestOf, type VmConfig } from "../vms";

const base = "/nodes/{node}/qemu/{vmid}";

/** Sizes as a config writes them, in bytes. */
const unit: Record<string, number> = { M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 };
function bytesOf(value: string | number | undefined): number {
  const [, digits = "0", suffix = "G"] = /size=(\d+)([MGT])/.exec(String(value ?? "")) ?? [];
  return Number(digits) * (unit[suffix] ?? 1);
}

/** Seconds since a process started; 0 where it cannot be told. */
function secondsAlive(pid: number | undefined): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // Field 22, in ticks of 10 ms since the host's boot; the name before it, in parentheses, may hold spaces.
    const startTicks = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19]);
    return Math.max(0, Math.floor(uptime() - startTicks / 100));
  } catch {
    return 0;
  }
}

/** A VM as its host's list and its own status show it. */
async function statusOf({ guests }: Pick<Site, "guests">, vmId: number, { values, lock }: VmConfig) {
  const guest = (await guests.list()).find((one) => one.vmId === vmId);
  const running = guest?.running ?? false;
  return {
    vmid: vmId,
    name: values.name,
    status: running ? "running" : "stopped",
    cpus: Number(values.cores ?? 1) * Number(values.sockets ?? 1),
    maxmem: Number(values.memory ?? 512) * 2 ** 20,
    maxdisk: bytesOf(values.scsi0),
    uptime: running ? secondsAlive(guest?.pid) : 0,
    ...(running && { pid: guest?.pid }),
    ...(lock && { lock }),
  };
}

/** What high availability is to do with a VM, where it is managed. */
const managedBy = ({ cluster }: Call, vmId: number) =>
  cluster.haResources.find(({ sid }) => sid === `vm:${vmId}`);

/** The resource pool of a VM; told to whoever may audit the pool. */
const poolOf = (call: Call, vmId: number) =>
  Object.entries(call.cluster.pools ?? {}).find(
    ([pool, members]) => members.includes(vmId) && may(call, `/pool/${pool}`, "Pool.Audit"),
  )?.[0];

/** What every machine is doing now, for pvestatd. */
export async function machinesNow(site: Pick<Site, "vms" | "guests">) {
  const found = site.vms.list().map(async ({ vmId, config }) => {
    const { vmid: _vmid, lock: _lock, pid: _pid, cpus, ...status } = await statusOf(site, vmId, config);
    return [vmId, { ...status, maxcpu: cpus }] as const;
  });
  return new Map(await Promise.all(found));
}

/** VMs as the cluster's resources list them. Those that the token may not audit are silently missing. */
export async function vmResources(site: Site, call: Parameters<Method["run"]>[1]) {
  const visible = site.vms.list().filter(({ vmId }) => may(call, `/vms/${vmId}`, "VM.Audit"));
  return Promise.all(
    visible.map(async ({ vmId, node, config: { lock } }) => {
      const offline = site.faults.isOn(`node-offline-${node}`);
      const managed = managedBy(call, vmId);
      const pool = poolOf(call, vmId);
      return {
        ...{
          id: `qemu/${vmId}`,
          type: "qemu",
          vmid: vmId,
          node,
          template: 0,
          ...(await site.statd.of(vmId)),
        },
        ...(lock && { lock }),
        ...(offline && { status: "unknown" }),
        ...(managed && { hastate: managed.state }),
        ...(pool && { pool }),
      };
    }),
  );
}

/** A VM's config and status, and removing it whole. */
export const vmMethods: readonly Method[] = [
  {
    method: "GET",
    path: "/nodes/{node}/qemu",
    parameters: { full: optional(flag) },
    async run(site, call) {
      const here = site.vms
        .list()
        .filter(({ vmId, node }) => node === call.values.node && may(call, `/vms/${vmId}`, "VM.Audit"));
      return Promise.all(here.map(({ vmId, config }) => statusOf(site, vmId, config)));
    },
  },
  {
    method: "GET",
    path: `${base}/config`,
    parameters: { current: optional(flag), snapshot: optional(configId) },
    permission: onVm("VM.Audit"),
    run({ vms }, call) {
      const { node, vmId } = target(call);
      const config = vms.load(node, vmId);
      const { snapshot } = call.values;
      if (snapshot) return { ...snapshotOf(config, String(snapshot)).config, digest: digestOf(config) };
      const { values, lock, parent } = config;
      return { ...values, ...(lock && { lock }), ...(parent && { parent }), digest: digestOf(config) };
    },
  },
  {
    method: "GET",
    path: `${base}/status/current`,
    permission: onVm("VM.Audit"),
    async run(site, call) {
      const { node, vmId } = target(call);
      const config = site.vms.load(node, vmId);
      const status = await statusOf(site, vmId, config);
      const managed = managedBy(call, vmId);
      return {
        ...status,
        qmpstatus: status.status,
        agent: String(config.values.agent ?? "").startsWith("1") ? 1 : 0,
        ha: managed ? { managed: 1, state: managed.state } : { managed: 0 },
      };
    },
  },
  {
    method: "DELETE",
    path: base,
    parameters: { purge: optional(flag), "destroy-unreferenced-disks": optional(flag) },
    permission: onVm("VM.Allocate"),
    async run(site, call) {
      const { node, vmId } = target(call);
      const config = site.vms.load(node, vmId);
      checkLock(config);
      if ((await statusOf(site, vmId, config)).status === "running") {
        throw new PveError(`VM ${vmId} is running - destroy failed`);
      }
      return site.tasks.start(node, "qmdestroy", String(vmId), call.who, async () => {
        checkLock(site.vms.load(node, vmId));
        await site.guests.remove(vmId);
        site.vms.remove(node, vmId);
      });
    },
  },
];
