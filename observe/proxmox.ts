import { type ClusterNode, restoreTestNode, type Settings } from "../config";
import { type LastBackup, lastBackup, timeZoneOf } from "../proxmox/backups";
import type { ProxmoxClient } from "../proxmox/client";
import { listBackupJobs, readFreeMemory, readQuorum } from "../proxmox/cluster";
import { withProxmox } from "../proxmox/connect";
import { canSnapshot, listSnapshots } from "../proxmox/snapshots";
import { hardwareAddressesIn, isAgentOn, memoryOf, readConfig, type VmConfig } from "../proxmox/vmConfig";
import { isRunning, listVms, type VmPlace } from "../proxmox/vms";
import {
  hostQuestions,
  QUORUM,
  restoreTestQuestion,
  turnHostQuestions,
  unmeasuredHosts,
  vmQuestion,
} from "./checks/hosts";
import { judgePlacement } from "./checks/placement";
import { judgeSnapshot, snapshotQuestion } from "./checks/snapshot";
import { type Finding, notMeasured } from "./finding";
import { type Look, look } from "./look";
import { judgeRights } from "./proxmoxRights";
import { judgeSpace } from "./snapshotSpace";
import type { Question } from "./unmeasured";

/** What Proxmox says of the VMs that a change needs. */
export interface HostFacts {
  readonly findings: readonly Finding[];
  /** Where every VM is now; undefined where rights are missing that every change needs. */
  readonly places?: readonly VmPlace[];
  /** Each VM's network cards, by their hardware addresses; undefined where rights are missing that every change needs. */
  readonly cards?: ReadonlyMap<number, Look<readonly string[]>>;
  /** Asked for before a run alone; undefined too where rights are missing that every change needs. */
  readonly backups?: BackupFacts;
}

/** Backups of the cluster's VMs: what is scheduled, and what there is. */
export interface BackupFacts {
  readonly jobs: Look<
    readonly { readonly id: string; readonly schedule: string; readonly vmIds: readonly number[] }[]
  >;
  /** By whose wall clock the jobs run: that of the first host to answer; a cluster's hosts share one. */
  readonly timeZone: Look<string>;
  readonly last: ReadonlyMap<number, LastBackup>;
}

/** Looks at Proxmox VE: read-only, every call bounded by the client. @throws where the API does not answer */
export async function lookAtHosts(settings: Settings, tokenSecret: string): Promise<HostFacts> {
  return withProxmox(settings, tokenSecret, async (client) => {
    // A right that is missing makes the other looks fail or see too little: it comes first, and alone.
    const rights = await judgeRights(client, settings);
    if (rights.verdict === "fail") return { findings: beyond(rights, hostQuestions(settings)) };
    const vms = await listVms(client);
    const ours = vms.filter(({ vmId }) => settings.nodes.some((node) => node.vmId === vmId));
    const configs = await readConfigs(client, ours);
    const [quorum, backups, ofNodes, space] = await Promise.all([
      judgeQuorum(client),
      readBackups(client, settings, ours),
      Promise.all([
        ...settings.nodes.map((node) => judgeVm(client, vms, node)),
        judgeRestoreTest(client, vms, configs, settings),
      ]),
      judgeSpace(client, ours, configs),
    ]);
    return {
      findings: [rights, quorum, ...judgePlacement(settings, vms), ...ofNodes.flat(), ...space],
      places: vms,
      cards: cardsOf(configs),
      backups,
    };
  });
}

/** VMs' configs as they are now, by VM ID. */
type Configs = ReadonlyMap<number, Look<VmConfig>>;

async function readConfigs(client: ProxmoxClient, places: readonly VmPlace[]): Promise<Configs> {
  const asked = places.map(
    async (place) => [place.vmId, await look(() => readConfig(client, place))] as const,
  );
  return new Map(await Promise.all(asked));
}

const cardsOf = (configs: Configs): NonNullable<HostFacts["cards"]> =>
  new Map(
    [...configs].map(([vmId, config]) => [
      vmId,
      "value" in config ? { value: hardwareAddressesIn(config.value) } : config,
    ]),
  );

async function readBackups(
  client: ProxmoxClient,
  { nodes }: Settings,
  places: readonly VmPlace[],
): Promise<BackupFacts> {
  const [jobs, timeZone, last] = await Promise.all([
    look(async () => {
      const listed = (await listBackupJobs(client)).map(({ id, schedule, covers }) => {
        const ours = places.filter(covers).map(({ vmId }) => vmId);
        return { id, schedule, vmIds: nodes.map(({ vmId }) => vmId).filter((vmId) => ours.includes(vmId)) };
      });
      return listed.filter(({ vmIds }) => vmIds.length > 0);
    }),
    look(() => firstTimeZone(client, [...new Set(places.map(({ host }) => host))])),
    Promise.all(
      places.map(async ({ host, vmId }) => {
        const seen = await look(() => lastBackup(client, host, vmId));
        return [vmId, "value" in seen ? seen.value : { unseen: seen.missing }] as const;
      }),
    ),
  ]);
  return { jobs, timeZone, last: new Map(last) };
}

/** All are asked at once: one that hangs must not keep the others waiting. @throws where none answers */
async function firstTimeZone(client: ProxmoxClient, hosts: readonly string[]): Promise<string> {
  try {
    return await Promise.any(hosts.map((host) => timeZoneOf(client, host)));
  } catch (error) {
    const reasons = error instanceof AggregateError ? error.errors.map((one: Error) => one.message) : [];
    throw new Error(reasons.join("; ") || "no host of these VMs is known");
  }
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
  return withProxmox(settings, tokenSecret, async (client) => {
    const rights = await judgeRights(client, settings);
    if (rights.verdict === "fail") return { findings: beyond(rights, turnHostQuestions(settings, node)) };
    const vms = await listVms(client);
    const place = vms.find(({ vmId }) => vmId === node.vmId);
    const ours = place ? [place] : [];
    const configs = await readConfigs(client, ours);
    const [quorum, ofVm, space, snapshots] = await Promise.all([
      judgeQuorum(client),
      judgeVm(client, vms, node),
      judgeSpace(client, ours, configs),
      place ? look(() => listSnapshots(client, place.host, node.vmId)) : { value: [] },
    ]);
    const { check, wanted } = snapshotQuestion(settings, node);
    const snapshot =
      "value" in snapshots
        ? judgeSnapshot(settings, node, snapshots.value, new Date())
        : notMeasured(check, snapshots.missing, wanted, place?.host ?? "its host");
    return {
      findings: [rights, quorum, ...judgePlacement(settings, vms), ...ofVm, ...space, snapshot],
      places: vms,
      cards: cardsOf(configs),
    };
  });
}

/** Rights that are missing, and what was not asked for them. */
const beyond = (rights: Finding, questions: readonly Question[]): Finding[] => [
  rights,
  ...unmeasuredHosts(
    questions.filter(({ check }) => check !== rights.check),
    rights,
  ),
];

async function judgeQuorum(client: ProxmoxClient): Promise<Finding> {
  const asked = await look(() => readQuorum(client));
  if ("missing" in asked) return notMeasured(QUORUM.check, asked.missing, QUORUM.wanted, "the cluster");
  const { quorate, offline } = asked.value;
  return {
    ...QUORUM,
    found: `${quorate ? "quorate" : "no quorum"}${offline.length ? `, offline: ${offline.join(", ")}` : ""}`,
    ...(quorate
      ? { verdict: "pass" }
      : { verdict: "fail", next: "pvecm status on a host: without quorum no snapshot can be taken" }),
  };
}

/** Whether the restore test can be run in a clone of its server's VM: else it would fail when the change has begun. */
async function judgeRestoreTest(
  client: ProxmoxClient,
  vms: readonly VmPlace[],
  configs: Configs,
  settings: Settings,
): Promise<Finding[]> {
  if (!settings.restoreTest.enabled) return [];
  const node = restoreTestNode(settings);
  const { check, wanted } = restoreTestQuestion(settings);
  const place = vms.find(({ vmId }) => vmId === node.vmId);
  if (!place) return [notMeasured(check, `VM ${node.vmId} is not listed`, wanted, "its host")];
  const config = configs.get(node.vmId) ?? { missing: "not looked at" };
  const free = await look(() => readFreeMemory(client, place.host));
  if ("missing" in config) return [notMeasured(check, config.missing, wanted, place.host)];
  if ("missing" in free) return [notMeasured(check, free.missing, wanted, place.host)];
  const [agent, memoryMiB, freeMiB] = [isAgentOn(config.value), memoryOf(config.value), free.value];
  const found = `guest agent ${agent ? "on" : "off"}; ${memoryMiB} MiB for it, ${freeMiB} MiB free on ${place.host}`;
  const otherwise = "or set restoreTest.enabled to false";
  if (!agent) {
    const next = `install qemu-guest-agent in it, then: qm set ${node.vmId} --agent 1, and stop and start the VM; ${otherwise}`;
    return [{ check, found, wanted, verdict: "fail", next }];
  }
  if (freeMiB < memoryMiB) {
    const next = `free memory there, have another server tested (restoreTest.node), ${otherwise}: a host without memory kills VMs`;
    return [{ check, found, wanted, verdict: "warn", next }];
  }
  return [{ check, found, wanted, verdict: "pass" }];
}

async function judgeVm(
  client: ProxmoxClient,
  vms: readonly VmPlace[],
  node: ClusterNode,
): Promise<Finding[]> {
  const { vmId } = node;
  const { check, wanted } = vmQuestion(node);
  const place = vms.find((vm) => vm.vmId === vmId);
  if (!place) {
    const next = `check nodes[].vmId; the token needs VM.Audit on /vms/${vmId} (docs/proxmox.md)`;
    return [{ check, found: "not listed", wanted, verdict: "fail", next }];
  }
  const asked = await look(async () => ({
    able: await canSnapshot(client, place.host, vmId),
    running: await isRunning(client, place),
  }));
  if ("missing" in asked) return [notMeasured(check, asked.missing, wanted, place.host)];
  const { able, running } = asked.value;
  const found = `${running ? "running" : "stopped"} on ${place.host}, ${place.lock ? `locked (${place.lock})` : "unlocked"}, ${able ? "can" : "cannot"} be snapshotted`;
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
