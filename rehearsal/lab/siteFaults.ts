import { existsSync } from "node:fs";
import { mkdir, readdir, rename } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Machine } from "../machines/machine";
import { type Cluster, ClusterFile } from "../proxmox/cluster";
import { readJson, writeJson } from "../proxmox/files";
import { roles } from "../proxmox/roles";
import type { VmConfig } from "../proxmox/vms";
import { type Fault, required } from "./fault";
import { readState } from "./state";

/** A VM ID, given as such or as its machine's name. */
export async function vmId(typed: string): Promise<string> {
  return /^\d+$/.test(typed) ? typed : String((await Machine.byName(typed)).record.vmId);
}

const POOL = "nvmethin01";
const FULL = 0.95;
const USUAL = 1 / 3;
/** A second disk, whose storage a fault changes. */
const DISK = "scsi1";
const RAW = /^local:(\d+)\/vm-\d+-disk-(\d+)\.raw/;
/** How much older a backup is made, seconds: no rehearsal is up for so long. */
const AGED = 30 * 86_400;
const JOB = "backup-fault";

/**
 * Faults of what Proxmox VE keeps in /etc/pve: the stand-in's state is changed, and changed back.
 * @param directory the stand-in's state
 */
export function siteFaults(directory: string): Readonly<Record<string, Fault>> {
  const file = new ClusterFile(directory);
  const cluster = (): Cluster | undefined =>
    existsSync(join(directory, "cluster.json")) ? file.read() : undefined;
  // Where a VM's config lies is where the VM is; in no host's folder it is nowhere.
  const configOf = (host: string, vm: string, root = "nodes") =>
    join(directory, root, host, "qemu-server", `${vm}.json`);

  /** The host of each VM below a folder of hosts, by VM ID. */
  async function places(root = "nodes"): Promise<Map<string, string>> {
    const found = new Map<string, string>();
    for (const host of await readdir(join(directory, root)).catch(() => []))
      for (const name of await readdir(join(directory, root, host, "qemu-server")).catch(() => []))
        found.set(name.replace(".json", ""), host);
    return found;
  }

  async function move(vm: string, from: string, to: string): Promise<void> {
    await mkdir(dirname(to), { recursive: true });
    if (existsSync(from)) await rename(from, to);
    else throw new Error(`there is no VM ${vm}`);
  }

  async function configFile(vm: string): Promise<string> {
    const host = (await places()).get(vm);
    if (!host) throw new Error(`there is no VM ${vm}`);
    return configOf(host, vm);
  }

  const sharesHost: Fault = {
    usage: "shares-host <vm> [<host>]",
    effect: "that VM runs on another host (that of the first server by default); off: back on its own",
    async set(on, vm, host) {
      const { nodes } = (await readState()).stack;
      const id = await vmId(required(vm, this.usage));
      const now = (await places()).get(id);
      const home = nodes.find((node) => String(node.vmId) === id)?.proxmoxNode;
      const target = on ? (host ?? nodes[0]?.proxmoxNode) : home;
      if (now && target && now !== target) await move(id, configOf(now, id), configOf(target, id));
    },
    async active() {
      const { nodes } = (await readState()).stack;
      const now = await places();
      return nodes
        .filter(({ vmId, proxmoxNode }) => now.has(String(vmId)) && now.get(String(vmId)) !== proxmoxNode)
        .map(({ vmId }) => `shares-host ${vmId} ${now.get(String(vmId))}`);
    },
  };

  const missing: Fault = {
    usage: "vm-missing <vm>",
    effect: "that VM's config is gone from /etc/pve while it runs on: Proxmox VE does not list it",
    async set(on, vm) {
      const id = await vmId(required(vm, this.usage));
      const [here, gone] = [(await places()).get(id), (await places("unregistered")).get(id)];
      if (on && here) await move(id, configOf(here, id), configOf(here, id, "unregistered"));
      if (!on && gone) await move(id, configOf(gone, id, "unregistered"), configOf(gone, id));
      if (!here && !gone) throw new Error(`there is no VM ${id}`);
    },
    active: async () => [...(await places("unregistered")).keys()].map((id) => `vm-missing ${id}`),
  };

  const noSnapshots: Fault = {
    usage: "no-snapshots <vm>",
    effect: "that VM's second disk is raw on a directory, which takes no snapshots",
    async set(on, vm) {
      const id = await vmId(required(vm, this.usage));
      const path = await configFile(id);
      const config = readJson<VmConfig>(path);
      const disk = String(config?.values[DISK]);
      const raw = disk.replace(/^[^:]+:vm-(\d+)-disk-(\d+)/, "local:$1/vm-$1-disk-$2.raw");
      const changed = on ? raw : disk.replace(RAW, `${POOL}:vm-$1-disk-$2`);
      if (config) writeJson(path, { ...config, values: { ...config.values, [DISK]: changed } });
    },
    async active() {
      const isRaw = ([id, host]: [string, string]) =>
        RAW.test(String(readJson<VmConfig>(configOf(host, id))?.values[DISK]));
      return [...(await places())].filter(isRaw).map(([id]) => `no-snapshots ${id}`);
    },
  };

  const storageFull: Fault = {
    usage: "storage-full",
    effect: `Proxmox VE's storage ${POOL} is 95 % full on every host`,
    async set(on) {
      const { storages } = file.read();
      const pool = storages[POOL];
      if (!pool) throw new Error(`there is no storage ${POOL}`);
      const used = pool.total * (on ? FULL : USUAL);
      file.change({ storages: { ...storages, [POOL]: { ...pool, used } } });
    },
    async active() {
      const pool = cluster()?.storages[POOL];
      return pool && pool.used / pool.total >= FULL ? ["storage-full"] : [];
    },
  };

  const noQuorum: Fault = {
    usage: "no-quorum",
    effect: "Proxmox VE's cluster has lost its quorum: nothing can be changed",
    set: async (on) => file.change({ quorate: !on }),
    active: async () => (cluster()?.quorate === false ? ["no-quorum"] : []),
  };

  /** A role's privileges now; those it has at first, less what it lost, are told by the difference. */
  const lost = (now: Cluster["roles"]) =>
    Object.entries(roles).flatMap(([role, has]) => has.filter((one) => !now[role]?.includes(one)));
  const tokenLacks: Fault = {
    usage: "token-lacks <privilege>",
    effect: "the program's roles no longer grant that privilege, VM.Snapshot say",
    async set(on, privilege) {
      const word = required(privilege, this.usage);
      const own = Object.entries(roles).filter(([role]) => role.startsWith("RKE2"));
      if (!own.some(([, has]) => has.includes(word))) throw new Error(`no role grants ${word}`);
      const { roles: now } = file.read();
      const changed = own.map(([role, has]) => {
        const kept = has.filter((one) => (one === word ? !on : now[role]?.includes(one)));
        return [role, kept];
      });
      file.change({ roles: { ...now, ...Object.fromEntries(changed) } });
    },
    active: async () => [...new Set(lost(cluster()?.roles ?? roles))].map((one) => `token-lacks ${one}`),
  };

  const aged = (ctime: number) => ctime * 1000 < Date.now() - AGED * 1000;
  const backupsOld: Fault = {
    usage: "backups-old <vm>",
    effect: "that VM's last backup is a month older",
    async set(on, vm) {
      const id = Number(await vmId(required(vm, this.usage)));
      const backups = file.read().backups.map((backup) => {
        const change = on === aged(backup.ctime) ? 0 : on ? -AGED : AGED;
        return backup.vmid === id ? { ...backup, ctime: backup.ctime + change } : backup;
      });
      file.change({ backups });
    },
    async active() {
      const old = (cluster()?.backups ?? []).filter(({ ctime }) => aged(ctime));
      return old.map(({ vmid }) => `backups-old ${vmid}`);
    },
  };

  const backupDue: Fault = {
    usage: "backup-due",
    effect: "a backup job of all VMs begins every minute, by its schedule",
    async set(on) {
      const others = file.read().backupJobs.filter(({ id }) => id !== JOB);
      const job = { id: JOB, type: "vzdump", enabled: 1, schedule: "minutely", all: 1, storage: "local" };
      file.change({ backupJobs: on ? [...others, job] : others });
    },
    active: async () => (cluster()?.backupJobs.some(({ id }) => id === JOB) ? ["backup-due"] : []),
  };

  return {
    "shares-host": sharesHost,
    "vm-missing": missing,
    "no-snapshots": noSnapshots,
    "storage-full": storageFull,
    "no-quorum": noQuorum,
    "token-lacks": tokenLacks,
    "backups-old": backupsOld,
    "backup-due": backupDue,
  };
}
