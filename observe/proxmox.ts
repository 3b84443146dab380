import type { ClusterNode, Settings } from "../config";
import { type LastBackup, lastBackup, timeZoneOf } from "../proxmox/backups";
import type { ProxmoxClient } from "../proxmox/client";
import { listBackupJobs, readQuorum } from "../proxmox/cluster";
import { connect } from "../proxmox/connect";
import { canSnapshot, listSnapshots } from "../proxmox/snapshots";
import { listVms, type VmPlace } from "../proxmox/vms";
import { judgePlacement } from "./checks/placement";
import { judgeSnapshot } from "./checks/snapshot";
import { type Finding, notMeasured } from "./finding";
import { look } from "./look";
import { judgeRights } from "./proxmoxRights";
import { judgeSpace } from "./snapshotSpace";

/** What Proxmox says of the VMs that a change needs. */
export interface HostFacts {
  readonly findings: readonly Finding[];
  /** Undefined where rights are missing that every change needs. */
  readonly backups?: BackupFacts;
}

/** Backups of the cluster's VMs: what is scheduled, and what there is. */
export interface BackupFacts {
  readonly jobs: readonly {
    readonly id: string;
    readonly schedule: string;
    readonly vmIds: readonly number[];
  }[];
  /** By whose wall clock the jobs run: the first server's host's; a cluster's hosts share one. */
  readonly timeZone: string;
  readonly last: ReadonlyMap<number, LastBackup>;
}

/** Looks at Proxmox VE: read-only, every call bounded by the client. @throws where the API does not answer */
export async function lookAtHosts(settings: Settings, tokenSecret: string): Promise<HostFacts> {
  const client = connect(settings, tokenSecret);
  try {
    // A right that is missing makes the other looks fail or see too little: it comes first, and alone.
    const rights = await judgeRights(client, settings);
    if (rights.verdict === "fail") return { findings: [rights] };
    const vms = await listVms(client);
    const ours = vms.filter(({ vmId }) => settings.nodes.some((node) => node.vmId === vmId));
    const [quorum, backups, ofNodes, space] = await Promise.all([
      judgeQuorum(client),
      readBackups(client, settings, ours),
      Promise.all(settings.nodes.map((node) => judgeVm(client, vms, node))),
      judgeSpace(client, ours),
    ]);
    return {
      findings: [rights, quorum, ...judgePlacement(settings, vms), ...ofNodes.flat(), ...space],
      backups,
    };
  } finally {
    await client.close();
  }
}

async function readBackups(
  client: ProxmoxClient,
  { nodes }: Settings,
  places: readonly VmPlace[],
): Promise<BackupFacts> {
  const [jobs, timeZone, last] = await Promise.all([
    listBackupJobs(client),
    places[0] ? timeZoneOf(client, places[0].host) : "UTC",
    Promise.all(
      places.map(async ({ host, vmId }) => {
        const seen = await look(() => lastBackup(client, host, vmId));
        return [vmId, "value" in seen ? seen.value : { unseen: seen.missing }] as const;
      }),
    ),
  ]);
  const covered = jobs.map(({ id, schedule, covers }) => ({
    id,
    schedule,
    vmIds: nodes.map(({ vmId }) => vmId).filter(covers),
  }));
  return { jobs: covered.filter(({ vmIds }) => vmIds.length > 0), timeZone, last: new Map(last) };
}

/**
 * Looks at what one node's turn needs of Proxmox VE: rights, a quorum, the servers' hosts, and of its VM the place, its
 * lock, its snapshot.
 * @throws where the API does not answer
 */
export async function lookAtVm(
  settings: Settings,
  node: ClusterNode,
  tokenSecret: string,
): Promise<HostFacts> {
  const client = connect(settings, tokenSecret);
  try {
    const rights = await judgeRights(client, settings);
    if (rights.verdict === "fail") return { findings: [rights] };
    const vms = await listVms(client);
    const place = vms.find(({ vmId }) => vmId === node.vmId);
    const [quorum, ofVm, space, snapshots] = await Promise.all([
      judgeQuorum(client),
      judgeVm(client, vms, node),
      judgeSpace(client, place ? [place] : []),
      place ? listSnapshots(client, place.host, node.vmId) : [],
    ]);
    const snapshot = judgeSnapshot(settings, node, snapshots, new Date());
    return {
      findings: [rights, quorum, ...judgePlacement(settings, vms), ...ofVm, ...space, snapshot],
    };
  } finally {
    await client.close();
  }
}

async function judgeQuorum(client: ProxmoxClient): Promise<Finding> {
  const { quorate, offline } = await readQuorum(client);
  return {
    check: "proxmox: quorum",
    found: `${quorate ? "quorate" : "no quorum"}${offline.length ? `, offline: ${offline.join(", ")}` : ""}`,
    wanted: "quorate",
    ...(quorate
      ? { verdict: "pass" }
      : { verdict: "fail", next: "pvecm status on a host: without quorum no snapshot can be taken" }),
  };
}

async function judgeVm(
  client: ProxmoxClient,
  vms: readonly VmPlace[],
  { name, vmId }: ClusterNode,
): Promise<Finding[]> {
  const check = `proxmox: VM ${vmId} (${name})`;
  const wanted = "running, unlocked, can be snapshotted";
  const place = vms.find((vm) => vm.vmId === vmId);
  if (!place) {
    const next = `check nodes[].vmId; the token needs VM.Audit on /vms/${vmId} (docs/proxmox.md)`;
    return [{ check, found: "not listed", wanted, verdict: "fail", next }];
  }
  const asked = await look(() => canSnapshot(client, place.host, vmId));
  if ("missing" in asked) return [notMeasured(check, asked.missing, wanted, place.host)];
  const able = asked.value;
  const found = `${place.running ? "running" : "stopped"} on ${place.host}, ${place.lock ? `locked (${place.lock})` : "unlocked"}, ${able ? "can" : "cannot"} be snapshotted`;
  if (!able) {
    return [
      {
        check,
        found,
        wanted,
        verdict: "fail",
        next: "its storage takes no snapshots (raw on a directory, plain LVM): move the disk",
      },
    ];
  }
  if (place.lock) {
    return [
      {
        check,
        found,
        wanted,
        verdict: "warn",
        next: `the snapshot waits for it: see what works on the VM; if nothing does: qm unlock ${vmId}`,
      },
    ];
  }
  return [{ check, found, wanted, verdict: "pass" }];
}
