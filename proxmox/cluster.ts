import { z } from "zod";
import type { ProxmoxClient } from "./client";
import { missingPrivileges } from "./permissions";
import type { VmPlace } from "./vms";

const flag = z.union([z.boolean(), z.number(), z.string()]).transform((value) => Number(value) === 1);
const status = z.array(
  z.object({
    type: z.string(),
    name: z.string().optional(),
    quorate: flag.optional(),
    online: flag.optional(),
  }),
);
const jobs = z.array(
  z.object({
    id: z.string(),
    type: z.string().optional(),
    enabled: flag.optional(),
    schedule: z.string().optional(),
    all: flag.optional(),
    pool: z.string().optional(),
    vmid: z.union([z.string(), z.number()]).optional(),
    exclude: z.string().optional(),
  }),
);

/** Whether the cluster can change anything: without a quorum /etc/pve is read-only. */
export interface Quorum {
  readonly quorate: boolean;
  /** Hosts that do not answer. */
  readonly offline: readonly string[];
}

/** A backup job that is switched on. While it works on a VM it holds the VM's lock. */
export interface BackupJob {
  readonly id: string;
  /** As a systemd calendar event: `01:00`, `sun 02:30`. */
  readonly schedule: string;
  covers(vm: Pick<VmPlace, "vmId" | "pool">): boolean;
}

/** The cluster's quorum; a single host without a cluster always has one. Needs Sys.Audit. */
export async function readQuorum(client: ProxmoxClient): Promise<Quorum> {
  const found = await client.get("/cluster/status", status);
  const cluster = found.find(({ type }) => type === "cluster");
  return {
    quorate: cluster?.quorate ?? true,
    offline: found.flatMap(({ type, online, name }) =>
      type === "node" && online === false && name ? name : [],
    ),
  };
}

/** The names of the cluster's hosts, those that do not answer too. Needs Sys.Audit. */
export async function listHosts(client: ProxmoxClient): Promise<string[]> {
  const found = await client.get("/cluster/status", status);
  return found.flatMap(({ type, name }) => (type === "node" && name ? name : [])).sort();
}

/**
 * The backup jobs that are switched on. Needs Sys.Audit. As Proxmox VE chooses what a job backs up
 * (PVE::VZDump::get_included_guests): its pool's own members, else the VMs that it lists, else all but some.
 * @throws where a job names a pool whose members the token is not told (PVE::API2::Cluster leaves out a VM's pool without
 * Pool.Audit): whom it covers cannot be known
 */
export async function listBackupJobs(client: ProxmoxClient): Promise<BackupJob[]> {
  const found = (await client.get("/cluster/backup", jobs)).filter(({ enabled }) => enabled !== false);
  const pools = [...new Set(found.flatMap(({ pool }) => pool ?? []))];
  const hidden = await missingPrivileges(
    client,
    pools.map((pool) => ({ path: `/pool/${pool}`, privileges: ["Pool.Audit"] })),
  );
  if (hidden.length > 0) {
    const paths = hidden.map(({ path }) => path).join(", ");
    throw new Error(
      `a backup job names a pool, and the token lacks Pool.Audit on ${paths} (docs/proxmox.md)`,
    );
  }
  return found.map(({ id, schedule = "", all, pool, vmid, exclude }) => {
    const listed = new Set(String((all ? exclude : vmid) ?? "").split(/[,;\s]+/));
    return {
      id,
      schedule,
      covers: (vm) => (pool ? vm.pool === pool : listed.has(String(vm.vmId)) !== (all === true)),
    };
  });
}

const memory = z.object({ memory: z.object({ free: z.number(), available: z.number().optional() }) });

/** How much memory a host has to spare, MiB. Needs Sys.Audit. */
export async function readFreeMemory(client: ProxmoxClient, host: string): Promise<number> {
  const { free, available = free } = (await client.get(`/nodes/${host}/status`, memory)).memory;
  return Math.floor(available / 2 ** 20);
}
