import { existsSync } from "node:fs";
import { join } from "node:path";
import { type Cluster, ClusterFile } from "../proxmox/cluster";
import { roles } from "../proxmox/roles";
import { type Fault, required } from "./fault";
import { vmFaults, vmId } from "./vmFaults";

const POOL = "nvmethin01";
const FULL = 0.95;
const USUAL = 1 / 3;
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

  const managedBy = (vm: string) => (cluster()?.haResources ?? []).filter(({ sid }) => sid === `vm:${vm}`);
  const haManaged: Fault = {
    usage: "ha-managed <vm>",
    effect: "Proxmox VE's manager of high availability keeps that VM started",
    async set(on, vm) {
      const id = await vmId(required(vm, this.usage));
      const others = file
        .read()
        .haResources.filter((one) => !managedBy(id).some(({ sid }) => sid === one.sid));
      const managed = { sid: `vm:${id}`, type: "vm", state: "started" };
      file.change({ haResources: on ? [...others, managed] : others });
    },
    active: async () =>
      (cluster()?.haResources ?? []).map(({ sid }) => `ha-managed ${String(sid).replace("vm:", "")}`),
  };

  return {
    ...vmFaults(directory, POOL),
    "ha-managed": haManaged,
    "storage-full": storageFull,
    "no-quorum": noQuorum,
    "token-lacks": tokenLacks,
    "backups-old": backupsOld,
    "backup-due": backupDue,
  };
}
