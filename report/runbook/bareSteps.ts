/** The steps that are no script on a node, by hand: locks, VM snapshots and rollbacks, etcd snapshots. Pure. */
import { backupDirectory, fileVersion } from "../../components/etcdBackups";
import type { PlanLine } from "../../components/plan";
import { exportWords } from "../../components/rancherExport";
import { helperFor } from "../../components/turns";
import { type ClusterNode, type Operator, type Settings, snapshotName, versionsToGoTo } from "../../config";
import { AT_REST, ownMark, snapshotDescription } from "../../proxmox/mark";
import { shellWord } from "../../scripts";
import type { RunbookInputs } from "./make";

const KUBECTL = "sudo -n /var/lib/rancher/rke2/bin/kubectl --kubeconfig /etc/rancher/rke2/rke2.yaml";

/** The lines of a step by its ID. */
export function bareStep(number: number, step: PlanLine, inputs: RunbookInputs): string[] {
  const { settings } = inputs;
  const node = settings.nodes.find(({ name }) => name === step.node);
  const kind = node ? step.id.slice(node.name.length + 1) : step.id;
  const operator = settings.operators.find(({ name }) => kind === `operator-${name}-release`);
  if (operator) return [helmRelease(operator)];
  switch (kind) {
    case "preflight":
      return locks(number, "take", inputs);
    case "vm-snapshot":
      return node ? [vmSnapshot(settings, node, step.boundSeconds)] : [];
    case "vm-rollback":
      return node ? [vmRollback(settings, node, step.boundSeconds)] : [];
    case "etcd-backup":
      return [etcdBackup(settings)];
    case "rancher-backup":
      return rancherExport(number, settings, step.boundSeconds);
    case "place-snapshot":
      return node ? [placeBackup(settings, node)] : [];
    case "turn-gate":
      return [look(helperFor(settings, node))];
    case "smoke-test":
      return [smokeTest(settings)];
    case "release":
      return [...deletions(inputs), ...locks(number, "release", inputs)];
    case "manifest":
    case "recovered":
      return [look(helperFor(settings))];
    default:
      return [`echo ${shellWord(`nothing to do by hand: ${step.title}`)}`];
  }
}

const target = ({ user, address, port }: ClusterNode): string => `${shellWord(`${user}@${address}`)} ${port}`;

/** What a look at the cluster shows; for the operator to judge. */
const look = (server: ClusterNode): string =>
  `on ${target(server)} 60 ${shellWord(`${KUBECTL} get nodes -o wide`)} </dev/null`;

/** The cluster first, as the program does: whoever loses there has touched no node. Going back, a dead API holds nobody up. */
function locks(number: number, action: "take" | "release", { settings, owner }: RunbookInputs): string[] {
  const who = shellWord(`${settings.changeId} by hand`);
  const cluster = `script_hold_cluster | ${settings.goBack ? "lease" : "run"} ${number} ${target(helperFor(settings))} 60 ${shellWord(`sudo -n bash -s -- hold-cluster ${action} ${owner} ${who}`)}`;
  const nodes = settings.nodes.map(
    (node) =>
      `script_hold_node | run ${number} ${target(node)} 60 ${shellWord(`sudo -n bash -s -- hold-node ${action} ${owner} ${who}`)}`,
  );
  return action === "take" ? [cluster, ...nodes] : [...nodes, cluster];
}

const nameOf = ({ acceptedVersion, changeId }: Settings): string => snapshotName(acceptedVersion, changeId);

function vmSnapshot(settings: Settings, node: ClusterNode, seconds: number): string {
  const description = snapshotDescription(node, settings.changeId);
  return `vm_snapshot ${node.proxmoxNode} ${node.vmId} ${nameOf(settings)} ${shellWord(description)} ${shellWord(ownMark(settings.acceptedVersion))} ${seconds}`;
}

/** A server must not start RKE2 by itself with old etcd data. */
function vmRollback(settings: Settings, node: ClusterNode, seconds: number): string {
  const mark = shellWord(ownMark(settings.acceptedVersion));
  const atRest = shellWord(node.role === "server" ? AT_REST : "");
  return `vm_rollback ${node.proxmoxNode} ${node.vmId} ${nameOf(settings)} ${mark} ${atRest} ${seconds} ${target(node)} ${settings.limits.sshSeconds}`;
}

function etcdBackup(settings: Settings): string {
  const [first] = settings.servers as [ClusterNode, ...ClusterNode[]];
  const { backup, changeId, limits } = settings;
  const words = [
    first.name,
    `rke2up-${changeId}`,
    backupDirectory(settings),
    fileVersion(settings.acceptedVersion),
    ...backup.recipients,
  ];
  return `etcd_backup ${target(first)} ${limits.etcdSnapshotSeconds} ${words.map(shellWord).join(" ")}`;
}

function placeBackup(settings: Settings, node: ClusterNode): string {
  const words = [backupDirectory(settings), ...versionsToGoTo(settings).map(fileVersion)];
  return `place_backup ${target(node)} ${settings.limits.etcdSnapshotSeconds} ${words.map(shellWord).join(" ")}`;
}

/** What it prints last says where the file is; the node is any. */
const rancherExport = (number: number, settings: Settings, seconds: number): string[] => {
  const words = ["rancher-export", ...exportWords(settings)].map(shellWord).join(" ");
  const recipients = settings.backup.recipients.map((one) => `-r ${one}`).join(" ");
  return [
    `script_rancher_export | run ${number} ${target(helperFor(settings))} ${seconds + 120} ${shellWord(`sudo -n bash -s -- ${words}`)}`,
    `echo ${shellWord(`bring that file off that node: ssh NODE sudo cat PATH | age ${recipients} >${backupDirectory(settings)}/FILE.age`)}`,
  ];
};

/** With the helm and the kubeconfig of whoever runs it; twice it does no harm. */
function helmRelease({ name, namespace, chart, repo, version, values, timeoutSeconds }: Operator): string {
  const words = [
    ...["helm", "upgrade", "--install", name, chart, "--namespace", namespace, "--create-namespace"],
    ...["--version", version, ...(repo === undefined ? [] : ["--repo", repo])],
    ...["--values", "-", "--wait", "--timeout", `${timeoutSeconds}s`],
  ];
  return `printf '%s' ${shellWord(JSON.stringify(values))} | ${words.map(shellWord).join(" ")}`;
}

/** Procedure §3.3.3: a pod of its own, to its end, and gone. */
function smokeTest(settings: Settings): string {
  const { validation, limits } = settings;
  const pod = "rke2-upgrade-by-hand";
  const command = [
    `${KUBECTL} delete pod ${pod} --ignore-not-found`,
    `${KUBECTL} run ${pod} --image=${shellWord(validation.image)} --restart=Never -- true`,
    `${KUBECTL} wait pod/${pod} --for=jsonpath='{.status.phase}'=Succeeded --timeout=${limits.smokeTestSeconds}s`,
    `${KUBECTL} delete pod ${pod}`,
  ].join(" && ");
  return `on ${target(helperFor(settings))} ${limits.smokeTestSeconds + 60} ${shellWord(command)} </dev/null`;
}

/** Those that bear the version that the change began from, and its ID: what is accepted by now is another. */
const deletions = ({ settings, moved }: RunbookInputs): string[] =>
  settings.nodes.map(
    ({ proxmoxNode, vmId }) =>
      `vm_release ${proxmoxNode} ${vmId} ${snapshotName(moved.from, moved.under)} ${shellWord(ownMark(moved.from))} ${settings.limits.snapshotSeconds}`,
  );
