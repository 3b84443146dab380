import { join } from "node:path";
import { RESTORE_TEST_VM_ID } from "../../config";
import { readJson, writeJson } from "./files";
import { type Roles, roles } from "./roles";
import type { StorageConfig } from "./storage";
import type { Topology } from "./topology";

/** A role that a user or a token holds on a path, and below it if it propagates. */
export interface AccessRule {
  readonly path: string;
  readonly ugid: string;
  readonly roleid: string;
  readonly propagate: boolean;
}

/** An API token, `user@realm!name`. */
export interface Token {
  readonly secret: string;
  /** Its rights are then those that both it and its user hold. */
  readonly privsep: boolean;
}

/** A VM's backup on a storage. */
export interface Backup {
  readonly storage: string;
  readonly node: string;
  readonly vmid: number;
  /** Seconds since 1970. */
  readonly ctime: number;
}

/** What a real cluster keeps in /etc/pve beside the VMs' configs. Read at each use, so that editing it takes effect. */
export interface Cluster {
  readonly name: string;
  readonly nodes: readonly string[];
  readonly quorate: boolean;
  readonly tokens: Readonly<Record<string, Token>>;
  readonly roles: Roles;
  readonly acl: readonly AccessRule[];
  readonly storages: Readonly<Record<string, StorageConfig>>;
  readonly backupJobs: readonly Record<string, unknown>[];
  /** Members of the resource pools, by pool. */
  readonly pools?: Readonly<Record<string, readonly number[]>>;
  /** What the jobs have made, on the host that held the VM then. */
  readonly backups: readonly Backup[];
  /** Of every host's wall clock. */
  readonly timeZone: string;
  readonly haResources: readonly Record<string, unknown>[];
  readonly haRules: readonly Record<string, unknown>[];
}

const GiB = 2 ** 30;

/** The lab's cluster on the first start: one thin pool a host, one token, nightly backups (procedure, §2). */
function firstCluster({ nodes, proxmox }: Topology): Cluster {
  const { tokenId, tokenSecret } = proxmox;
  const owner = tokenId.split("!")[0] ?? tokenId;
  return {
    name: "radioastronomy",
    nodes: [...new Set(nodes.map(({ proxmoxNode }) => proxmoxNode))].sort(),
    quorate: true,
    tokens: { [tokenId]: { secret: tokenSecret, privsep: true } },
    roles,
    acl: [owner, tokenId].flatMap((ugid) => [
      ...["RKE2GoBack", "RKE2SeeBackups", "RKE2Upgrade"].map((roleid) => ({
        path: "/",
        ugid,
        roleid,
        propagate: true,
      })),
      { path: `/vms/${RESTORE_TEST_VM_ID}`, ugid, roleid: "RKE2RestoreTest", propagate: true },
    ]),
    storages: {
      local: { type: "dir", content: "iso,vztmpl,backup", total: 100 * GiB, used: 20 * GiB },
      nvmethin01: { type: "lvmthin", content: "images,rootdir", total: 1800 * GiB, used: 600 * GiB },
    },
    backupJobs: ["01:00", "01:30"].map((schedule, half) => ({
      id: `backup-nightly-${half + 1}`,
      type: "vzdump",
      enabled: 1,
      schedule,
      mode: "snapshot",
      storage: "local",
      vmid: nodes
        .filter((_, i) => i % 2 === half)
        .map(({ vmId }) => vmId)
        .join(","),
    })),
    backups: nodes.map(({ vmId, proxmoxNode }, i) => ({
      storage: "local",
      node: proxmoxNode,
      vmid: vmId,
      ctime: lastNight(i % 2 === 0 ? 60 : 90),
    })),
    timeZone: "UTC",
    haResources: [],
    haRules: [],
  };
}

/** When the clock last showed that many minutes after midnight, UTC; seconds. */
function lastNight(minutes: number): number {
  const day = 86_400;
  const now = Math.floor(Date.now() / 1000);
  return Math.floor((now - minutes * 60) / day) * day + minutes * 60;
}

/** The cluster's configuration, kept in the file `cluster.json` of a folder. */
export class ClusterFile {
  private readonly file: string;

  constructor(directory: string) {
    this.file = join(directory, "cluster.json");
  }

  /** Writes the lab's, where there is none yet. */
  create(topology: Topology): void {
    if (!readJson(this.file)) writeJson(this.file, firstCluster(topology));
  }

  read(): Cluster {
    const cluster = readJson<Cluster>(this.file);
    if (!cluster) throw new Error(`${this.file} is missing`);
    return cluster;
  }

  /** Replaces some of it. */
  change(change: Partial<Cluster>): void {
    writeJson(this.file, { ...this.read(), ...change });
  }
}
