/** What a way back needs, asked before it begins and on every `up` until it is done; in preview it is told. */
import {
  type ClusterNode,
  describeRpo,
  duration,
  isWholeCluster,
  nodesGoingBack,
  restoresEtcd,
  type Settings,
  snapshotName,
  versionsToGoTo,
} from "../../config";
import { type Finding, lookAtVolumes, lookBack, type NodeBack } from "../../observe";
import { look } from "../../observe/look";
import type { ProxmoxClient } from "../../proxmox/client";
import { withProxmox } from "../../proxmox/connect";
import { ownMark } from "../../proxmox/mark";
import { missingPrivileges } from "../../proxmox/permissions";
import { refuseHighAvailability, snapshotToGoTo } from "../../proxmox/rollback";
import { asText } from "../changePolicy";
import { ageMs, type Backup, backupToGoTo } from "../etcdBackups";
import type { ProviderContext } from "../providerConfig";
import { isDataTouched } from "./dataTouched";
import { judgeEarlier } from "./earlier";
import { askHelpers } from "./helpers";
import { proveBackup } from "./identity";
import { askLeftOut } from "./leftOut";
import { askNobodyAnswers } from "./nobodyAnswers";
import { backupToPlace } from "./placeBackup";
import { openAttempts, readRecord } from "./record";
import { bytesToPutBack, judgeMove, judgeRoom } from "./room";
import { judgeVolumes } from "./volumes";

/** RKE2's tarball unpacked thrice, roughly, as the forward gate asks. */
const MIN_FREE_MIB = 2048;

/** Whether a node's VM is put back, so that it need not answer now. */
export const isRolledBack = ({ goBack }: Settings, node: ClusterNode): boolean =>
  goBack?.strategy === "rollback" && (!isWholeCluster(goBack) || node.role === "server");

/** Every question, each with its finding. Bounded; none throws. @param owner UUID of the change; undefined: none yet */
export async function askBack(context: ProviderContext, owner: string | undefined): Promise<Finding[]> {
  const { settings } = context;
  const begun = await hasBegun(settings);
  const left = settings.nodes.filter(({ name }) => settings.goBack?.without?.includes(name));
  const rolledBack = nodesGoingBack(settings).filter((node) => isRolledBack(settings, node));
  const [ofEarlier, ofHelpers, ofNodes, ofLeft, ofBackup, ofHosts, ofVolumes] = await Promise.all([
    askEarlier(context),
    askHelpers(context),
    Promise.all(nodesGoingBack(settings).map((node) => askNode(context, node, owner, begun))),
    Promise.all(left.map((node) => askLeftOut(context, node, begun))),
    settings.goBack && restoresEtcd(settings.goBack) ? askBackup(settings, backupToGoTo(settings)) : [],
    rolledBack.length > 0 ? askHosts(context, rolledBack) : [],
    rolledBack.length > 0 ? askVolumes(context, rolledBack, begun) : [],
  ]);
  // A mend's helper has answered, or that stops it.
  const isWhole = settings.goBack !== undefined && isWholeCluster(settings.goBack);
  const nobody = isWhole && ofNodes.every((findings) => findings.some(({ check }) => isAnswer(check)));
  const ofNobody =
    nobody && !begun && rolledBack.length > 0 ? await askNobodyAnswers(context, rolledBack) : [];
  return [
    ...ofEarlier,
    ...ofHelpers,
    ...ofNobody,
    ...ofNodes.flat(),
    ...ofLeft,
    ...ofBackup,
    ...ofHosts,
    ...ofVolumes,
  ];
}

/** The question that a node which does not answer is told by; of one that does there are others. */
const ANSWERS = "answers over SSH";
const isAnswer = (check: string): boolean => check.endsWith(`: ${ANSWERS}`);

/**
 * The same for going forward again where etcd is first put back to its end, on the wanted release: everything stops for
 * that as well. Bounded; none throws. @param attempt the change's present one
 */
export async function askFinish(
  context: ProviderContext,
  owner: string | undefined,
  attempt: number,
): Promise<Finding[]> {
  const { settings } = context;
  const [ofNodes, ofBackup] = await Promise.all([
    Promise.all(settings.nodes.map((node) => askNode(context, node, owner, true, settings.rke2Version))),
    askBackup(settings, backupToPlace(settings, attempt)),
  ]);
  return [...ofNodes.flat(), ...ofBackup];
}

/** The attempts that were left open before this one. */
async function askEarlier(context: ProviderContext): Promise<Finding[]> {
  const { settings } = context;
  // Whoever restores etcd may do so whatever is open, and whether a dead server answers or not.
  if (settings.goBack && restoresEtcd(settings.goBack)) return [];
  const open = openAttempts(await readRecord(settings));
  return judgeEarlier(settings, open, await look(() => isDataTouched(context, open)));
}

async function askVolumes(
  { settings, sshPrivateKey }: ProviderContext,
  nodes: readonly ClusterNode[],
  begun: boolean,
): Promise<Finding[]> {
  const volumes = await look(() => lookAtVolumes(settings.servers, sshPrivateKey));
  return nodes.flatMap((node) => judgeVolumes(settings, node, volumes, begun));
}

/** Whether this very way back is under way: its questions were answered once, before it stopped anything. */
async function hasBegun(settings: Settings): Promise<boolean> {
  const open = openAttempts(await readRecord(settings));
  return open.some(({ goBack }) => goBack === asText(settings.goBack));
}

async function askNode(
  { settings, sshPrivateKey }: ProviderContext,
  node: ClusterNode,
  owner: string | undefined,
  begun: boolean,
  version = settings.acceptedVersion,
): Promise<Finding[]> {
  const seen = await lookBack(node, sshPrivateKey, version, settings.changeId).catch((error: Error) => error);
  if (seen instanceof Error) {
    const check = `${node.name}: ${ANSWERS}`;
    // Its machine is put back as a whole: what it is now does not matter.
    if (isRolledBack(settings, node)) {
      return [{ check, found: seen.message, wanted: "anything: its VM goes back", verdict: "pass" }];
    }
    return [
      {
        check,
        found: seen.message,
        wanted: "an answer",
        verdict: "not measured",
        next: lostNext(settings, node),
      },
    ];
  }
  const first = node.name === settings.servers[0]?.name && !isRolledBack(settings, node);
  const bytes = first ? await bytesToPutBack(settings) : undefined;
  return [
    ...judgeNode(settings, node, seen, version),
    ...(bytes === undefined ? [] : judgeRoom(node, seen, bytes, begun)),
    ...judgeMove(settings, node, seen),
    ...judgeOwner(node, seen, owner),
  ];
}

/** What of it can be done with a machine that is lost. */
function lostNext({ goBack }: Settings, { name, role, vmId }: ClusterNode): string {
  if (!goBack)
    return `mend its network or SSH, or start VM ${vmId} where it is off; where its machine is lost bring the way back to its end instead: goBack.strategy ${role === "agent" ? `restore, goBack.without ${name}` : "rollback, without nodes"}`;
  const mend = "mend its network or SSH; where its machine is lost:";
  if (goBack?.nodes) return `${mend} goBack {strategy: rollback, nodes: [${name}]}`;
  return role === "agent"
    ? `${mend} let the others go back without it: pulumi config set --path 'rke2-upgrade:goBack.without[${goBack?.without?.length ?? 0}]' ${name}; it is mended after`
    : `${mend} goBack.strategy rollback, without nodes`;
}

function judgeNode(settings: Settings, node: ClusterNode, seen: NodeBack, version: string): Finding[] {
  const state = `${seen.versionRunning || "nothing"} runs (${seen.service}), ${seen.versionOnDisk || "unreadable"} installed, ${seen.configKept ? "its turn had begun" : "its turn had not begun"}`;
  const inPlace = isRolledBack(settings, node);
  return [
    { check: `${node.name}: is now`, found: state, wanted: "anything", verdict: "pass" },
    {
      check: `${node.name}: has the files of ${version}`,
      found: seen.artifactsWhole ? "whole" : "missing or damaged",
      wanted: "whole, so that nothing is downloaded while the cluster stands still",
      ...(seen.artifactsWhole || inPlace
        ? { verdict: "pass" }
        : {
            verdict: "fail",
            next: `copy /var/lib/rke2-upgrade/artifacts/${version} from a node that has them`,
          }),
    },
    {
      check: `${node.name}: free below /var/lib/rancher/rke2`,
      found: `${seen.freeMiB} MiB`,
      wanted: `${MIN_FREE_MIB} MiB`,
      ...(seen.freeMiB >= MIN_FREE_MIB || inPlace
        ? { verdict: "pass" }
        : { verdict: "fail", next: "free space: images (crictl rmi --prune), journals" }),
    },
  ];
}

function judgeOwner(node: ClusterNode, { owner: held }: NodeBack, owner: string | undefined): Finding[] {
  if (held === "" || held.split(" ")[0] === owner) return [];
  return [
    {
      check: `${node.name}: held by no other change`,
      found: held.split(" ").slice(1).join(" "),
      wanted: "free, or held by this change",
      verdict: "fail",
      next: "finish or accept that change first",
    },
  ];
}

/** @param finding the backup that will be put back; rejects where it is gone, with the next move */
async function askBackup(settings: Settings, finding: Promise<Backup | undefined>): Promise<Finding[]> {
  const check = "etcd snapshot: there, whole, opened with the identity";
  const backup = await finding.catch((error: Error) => error);
  if (backup instanceof Error) return [{ check, found: backup.message, wanted: "that one", verdict: "fail" }];
  const versions = versionsToGoTo(settings);
  if (!backup) {
    const found = `none of ${settings.changeId} with the data of ${versions.join(" or ")} in ${settings.backup.directory}`;
    const next = "run where the change was begun, or put its backups there, each with its .sha256";
    return [{ check, found, wanted: "one that can be gone back to", verdict: "fail", next }];
  }
  const failed = await proveBackup(settings, backup).then(
    () => undefined,
    (error: Error) => error.message,
  );
  const minutes = settings.objectives.rpoMinutes;
  const age = Math.round(ageMs(backup) / 1000);
  return [
    {
      check,
      found: failed ?? backup.file,
      wanted: "the sha256 that its server gave",
      ...(failed === undefined
        ? { verdict: "pass" }
        : {
            verdict: "fail",
            next: "set backup.identityFile to the identity of one of backup.recipients",
          }),
    },
    {
      check: "etcd snapshot: age",
      found: `${duration(age)} (${backup.takenAt.toISOString()})`,
      wanted: `at most ${describeRpo(settings)}`,
      ...(age <= minutes * 60
        ? { verdict: "pass" }
        : {
            verdict: "warn",
            next: `what was written since is lost: export it first where the API still answers. ${versions.includes(settings.rke2Version) ? "It is the newest that was taken, and going back takes none" : `A newer one of ${settings.acceptedVersion} cannot be had once servers are upgraded`}`,
          }),
    },
  ];
}

async function askHosts(
  { settings, proxmoxTokenSecret }: ProviderContext,
  nodes: readonly ClusterNode[],
): Promise<Finding[]> {
  const { acceptedVersion, changeId } = settings;
  const name = snapshotName(acceptedVersion, changeId);
  const ask = async (client: ProxmoxClient, node: ClusterNode): Promise<Finding[]> => {
    const needs = [{ path: `/vms/${node.vmId}`, privileges: ["VM.Snapshot.Rollback", "VM.PowerMgmt"] }];
    const lacks = (await missingPrivileges(client, needs)).flatMap(({ privileges }) => privileges);
    const wish = { vmId: node.vmId, name, mark: ownMark(acceptedVersion), atRest: node.role === "server" };
    const snapshot = await refuseHighAvailability(client, node.vmId)
      .then(() => snapshotToGoTo(client, wish))
      .catch((error: Error) => error);
    return [
      {
        check: `proxmox: VM ${node.vmId} (${node.name}) can go back`,
        found:
          snapshot instanceof Error
            ? snapshot.message
            : `to ${snapshot.name} of ${snapshot.takenAt.toISOString()}`,
        wanted: "a snapshot of this change, and no manager that starts it meanwhile",
        ...(snapshot instanceof Error ? { verdict: "fail", next: "see above" } : { verdict: "pass" }),
      },
      {
        check: `proxmox: rights on VM ${node.vmId}`,
        found: lacks.length > 0 ? `lacks ${lacks.join(" and ")}` : "all that is needed",
        wanted: "VM.Snapshot.Rollback and VM.PowerMgmt",
        ...(lacks.length > 0
          ? { verdict: "fail", next: 'grant the role RKE2GoBack: docs/proxmox.md, "The role for going back"' }
          : { verdict: "pass" }),
      },
    ];
  };
  try {
    return await withProxmox(settings, proxmoxTokenSecret, async (client) =>
      (await Promise.all(nodes.map((node) => ask(client, node)))).flat(),
    );
  } catch (error) {
    const found = error instanceof Error ? error.message : String(error);
    return [
      {
        check: "proxmox: the API answers",
        found,
        wanted: "an answer",
        verdict: "not measured",
        next: `curl ${settings.proxmox.endpoint}/api2/json/version`,
      },
    ];
  }
}
