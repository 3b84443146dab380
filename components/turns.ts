import {
  type ClusterNode,
  fellowsOf,
  gpuOperatorNamespace,
  isGpuOperator,
  isPatched,
  isRound,
  isSerial,
  maxUnavailable,
  type Operator,
  type Settings,
  scannerOf,
  type Wave,
  wayBackHint,
} from "../config";
import type { StepScript } from "../scripts";
import { gpuJob } from "./gpuJob";

/** One step of a turn, decided: where it runs, which script, with which arguments, bounded by what. */
export interface PlannedStep {
  /** Stable, kebab-case; the resource is named `${node}-${id}`. */
  readonly id: string;
  /** What it does, for the preview. */
  readonly title: string;
  readonly on: ClusterNode;
  readonly script: StepScript;
  readonly args: readonly (string | number)[];
  /** The step is ended on the node after this long. */
  readonly limitSeconds: number;
  /** Its first argument is the change's attempt: what it destroys is destroyed once an attempt. */
  readonly ofAttempt?: true;
  /** Its node may go down after its answer: whoever runs it waits for the node (rebooting.ts). */
  readonly reboots?: true;
}

/**
 * The server that is asked about the cluster while `node` is worked on: the next one in the order, never the node
 * itself; a lone server has nobody else.
 */
export function helperFor({ servers }: Pick<Settings, "servers">, node?: ClusterNode): ClusterNode {
  const position = servers.findIndex((server) => server.name === node?.name);
  return servers[(position + 1) % servers.length] as ClusterNode;
}

/** What a server's VM snapshot is tested by, placed before it is taken. */
export const restorePoint = (settings: Settings, node: ClusterNode): PlannedStep => ({
  id: "restore-point",
  title: "leave an etcd snapshot for the restore test",
  on: node,
  script: "restore-point",
  args: [settings.changeId, node.name],
  limitSeconds: settings.limits.etcdSnapshotSeconds,
});

/**
 * Who may be in their turn beside the node, as a script's last argument; none, and no argument, where it goes alone. Beside a
 * server every agent: one that is in its turn then was left half-way when the server went back alone, and waits for it.
 */
function besides(settings: Settings, { name, role }: ClusterNode): string[] {
  return listed(role === "server" ? settings.agents : fellowsOf(settings, name));
}

const listed = (nodes: readonly ClusterNode[]): string[] =>
  nodes.length > 0 ? [nodes.map(({ name }) => name).join(" ")] : [];

/** How many agents may be away, and who goes together with the node; the scripts' defaults where all go one at a time. */
const room = (settings: Settings, node: ClusterNode): (string | number)[] =>
  isSerial(settings) ? [] : [maxUnavailable(settings), ...listed(fellowsOf(settings, node.name))];

/** The questions to the cluster that open a node's turn. */
const gateCluster = (settings: Settings, node: ClusterNode): PlannedStep => ({
  id: "gate-cluster",
  title: "ask the cluster whether this node may go now",
  on: helperFor(settings, node),
  script: "gate-cluster",
  args: [
    node.name,
    node.role,
    settings.rke2Version,
    settings.acceptedVersion,
    settings.changeId,
    settings.servers.length,
    settings.limits.leaseSeconds,
    ...besides(settings, node),
  ],
  limitSeconds: settings.limits.gateSeconds,
});

/** The questions to the node itself. */
const gateNode = (settings: Settings, node: ClusterNode): PlannedStep => ({
  id: "gate-node",
  title: "ask the node: version, service, release files, disk, RKE2's config",
  on: node,
  script: "gate-node",
  args: [
    node.role,
    settings.rke2Version,
    settings.acceptedVersion,
    settings.ingressController ?? "",
    settings.changeId,
  ],
  limitSeconds: settings.limits.gateSeconds,
});

/** Upgrades the node's OS packages, before its RKE2: what has the new RKE2 on its disk is patched. In a round of its own reboot.sh's mark says so. */
const patch = (settings: Settings, node: ClusterNode): PlannedStep => ({
  id: "patch",
  title: `upgrade OS packages (${settings.osPatch.packages}), holds honoured, RKE2's own left alone${node.gpu ? ", kernel and GPU driver together or not at all" : ""}`,
  on: node,
  script: "patch",
  args: [
    settings.changeId,
    settings.rke2Version,
    settings.acceptedVersion,
    settings.osPatch.packages,
    String(node.gpu),
    settings.limits.packageLockSeconds,
  ],
  limitSeconds: settings.limits.patchSeconds + settings.limits.packageLockSeconds,
});

const WHEN = {
  whenNeeded: "reboot if the OS asks for it",
  always: "reboot",
  never: "no reboot: tell",
} as const;

/** Reboots the node where that is due, proven by another boot ID. */
export const reboot = (settings: Settings, node: ClusterNode): PlannedStep => ({
  id: "reboot",
  title: `${WHEN[settings.osPatch.reboot]}${settings.osPatch.reboot === "never" ? " a pending one" : ", another boot ID wanted after"}`,
  on: node,
  script: "reboot",
  args: [
    settings.changeId,
    node.role,
    settings.rke2Version,
    settings.acceptedVersion,
    settings.osPatch.reboot,
    String(node.gpu),
  ],
  // The script waits for a server's quorum first, at most 120 s.
  limitSeconds: settings.limits.rebootSeconds + (node.role === "server" ? 120 : 0),
  reboots: true,
});

const patched = (settings: Settings, node: ClusterNode): PlannedStep[] =>
  isPatched(settings, node) ? [patch(settings, node), reboot(settings, node)] : [];

/**
 * Back up config, install, restart, verify from inside. The same for both roles. In a round of OS patches RKE2 stays what it
 * is, and is proven.
 */
function replace(settings: Settings, node: ClusterNode): PlannedStep[] {
  const { limits, rke2Version: wanted, changeId } = settings;
  const round = isRound(settings);
  const away = node.role === "server" ? "move etcd's leadership away, restart" : "restart";
  const restart: PlannedStep = {
    id: "restart",
    // Where it runs already the script leaves it alone.
    title: round ? "wait until RKE2 runs, as after a reboot" : away,
    on: node,
    script: "restart",
    args: [node.role, wanted, limits.serviceStartSeconds, wayBackHint(settings, node)],
    // The script gives up first, with the cause from the journal.
    limitSeconds: limits.serviceStartSeconds + 30,
  };
  const andProve = [
    restart,
    verifyNode(settings, node),
    ...(settings.scan ? [scan(settings, node, "turn")] : []),
  ];
  if (round) return andProve;
  return [
    {
      id: "backup-config",
      title: "keep RKE2's config as it was",
      on: node,
      script: "backup-config",
      args: [changeId, wanted],
      limitSeconds: limits.gateSeconds,
    },
    {
      id: "install",
      title: `install ${wanted} from the checked files on the node`,
      on: node,
      script: "install-release",
      args: [node.role, wanted],
      limitSeconds: limits.installSeconds,
    },
    ...andProve,
  ];
}

/** Proof from inside that a node runs the wanted version. Also what adopting and accepting ask. */
export const verifyNode = (
  settings: Settings,
  node: ClusterNode,
  version: string = settings.rke2Version,
): PlannedStep => ({
  id: "verify-node",
  title: "prove it from inside: file, process, service, health",
  on: node,
  script: "verify-node",
  args: [node.role, version, settings.limits.readySeconds],
  limitSeconds: settings.limits.readySeconds * 3 + 30,
});

/** Proof from a server, and the soak. */
function verifyCluster(settings: Settings, node: ClusterNode): PlannedStep {
  const { soakServerSeconds, soakAgentSeconds } = settings.limits;
  const soakSeconds = node.role === "server" ? soakServerSeconds : soakAgentSeconds;
  return {
    id: "verify-cluster",
    title: `prove it from a server: Ready, version, leases, static pods, etcd; watch ${soakSeconds} s`,
    on: helperFor(settings, node),
    script: "verify-cluster",
    args: [
      node.name,
      node.role,
      settings.rke2Version,
      settings.acceptedVersion,
      settings.changeId,
      settings.servers.length,
      settings.limits.leaseSeconds,
      settings.limits.readySeconds,
      soakSeconds,
      wayBackHint(settings, node),
      ...besides(settings, node),
    ],
    limitSeconds: settings.limits.readySeconds + soakSeconds + 90,
  };
}

/** A server's turn (procedure §3.3.1); where its OS is patched it is drained for that. */
export function serverTurn(settings: Settings, node: ClusterNode): PlannedStep[] {
  const away = isPatched(settings, node);
  return [
    gateCluster(settings, node),
    gateNode(settings, node),
    ...(away ? drained(settings, node) : []),
    ...patched(settings, node),
    ...replace(settings, node),
    // The soak ends a server's turn, and sees it with its pods.
    ...(away ? [uncordon(settings, node)] : []),
    verifyCluster(settings, node),
  ];
}

/** An agent's turn (procedure §3.3.2); with a GPU its longer limits and its proofs (§3.3.4). */
export function agentTurn(settings: Settings, node: ClusterNode): PlannedStep[] {
  return [
    gateCluster(settings, node),
    gateNode(settings, node),
    ...(node.gpu ? [gpuBefore(settings, node)] : []),
    ...drained(settings, node),
    ...patched(settings, node),
    ...replace(settings, node),
    verifyCluster(settings, node),
    ...(node.gpu ? [gpuAfter(settings, node)] : []),
    uncordon(settings, node),
  ];
}

const gpuBefore = (settings: Settings, node: ClusterNode): PlannedStep => ({
  id: "gpu-before",
  title: "list what uses its GPU, and what starts it again",
  on: helperFor(settings, node),
  script: "gpu-before",
  args: [node.name, settings.changeId],
  limitSeconds: settings.limits.gateSeconds,
});

function gpuAfter(settings: Settings, node: ClusterNode): PlannedStep {
  const { gpuTest, limits, changeId } = settings;
  const job = gpuTest && { ...gpuJob(settings, node), seconds: gpuTest.timeoutSeconds };
  return {
    id: "gpu-after",
    title: `prove its GPU is offered, the operator's pods run and its policy is ready${gpuTest ? `; run a job that uses it (${gpuTest.image})` : ""}`,
    on: helperFor(settings, node),
    script: "gpu-after",
    args: [
      ...[node.name, gpuOperatorNamespace(settings), limits.gpuSeconds, changeId, 0],
      ...(job ? [job.namespace, job.name, job.seconds, job.manifest] : []),
    ],
    // The job is taken away before and after, at most a minute each.
    limitSeconds: limits.gpuSeconds + 30 + (job ? job.seconds + 150 : 0),
  };
}

/**
 * After the GPU operator's release, which replaces driver and device plugin: each GPU is offered as before. Without the job,
 * which needs a free GPU: the node is in use.
 */
const gpuAfterRelease = (settings: Settings, operator: Operator): PlannedStep[] => {
  const { namespace, name, version, timeoutSeconds } = operator;
  const { soakAgentSeconds } = settings.limits;
  return settings.agents
    .filter(({ gpu }) => gpu)
    .map((node) => ({
      id: `operator-${name}-gpu-${node.name}`,
      title: `prove that ${node.name} offers its GPU with ${name} ${version}, the operator's pods run there and its policy is ready; watch ${soakAgentSeconds} s`,
      on: helperFor(settings, node),
      script: "gpu-after",
      args: [node.name, namespace, timeoutSeconds, settings.changeId, soakAgentSeconds],
      limitSeconds: timeoutSeconds + soakAgentSeconds + 60,
    }));
};

/** Cordon and drain, asked of a server that is not being worked on. */
function drained(settings: Settings, node: ClusterNode): PlannedStep[] {
  const { drain, consents, changeId, limits } = settings;
  const grace = node.gpu ? drain.gpuGraceSeconds : drain.graceSeconds;
  const timeout = node.gpu ? drain.gpuTimeoutSeconds : drain.timeoutSeconds;
  const on = helperFor(settings, node);
  return [
    {
      on,
      id: "cordon",
      title: "cordon, marked as ours",
      script: "cordon",
      args: [
        node.name,
        changeId,
        settings.rke2Version,
        settings.acceptedVersion,
        ...room(settings, node).slice(0, 1),
      ],
      limitSeconds: limits.gateSeconds,
    },
    {
      on,
      id: "drain",
      title: `drain: grace ${grace} s, at most ${timeout} s, budgets honoured`,
      script: "drain",
      args: [
        node.name,
        changeId,
        settings.rke2Version,
        settings.acceptedVersion,
        grace,
        timeout,
        ...[consents.emptyDir, consents.barePods, consents.longGrace].map((pods) =>
          pods.map(podPattern).join(" "),
        ),
        ...room(settings, node),
      ],
      limitSeconds: timeout + 60,
    },
  ];
}

/**
 * Takes our cordon off. It ends an agent's turn, with a GPU once what used it before runs again; a server's ends with its
 * soak.
 */
const uncordon = (settings: Settings, node: ClusterNode): PlannedStep => ({
  on: helperFor(settings, node),
  id: "uncordon",
  title: `uncordon, if the cordon is ours${node.gpu ? "; see what used its GPU run again" : ""}`,
  script: "uncordon",
  args: [
    node.name,
    settings.changeId,
    settings.rke2Version,
    settings.acceptedVersion,
    ...(node.role === "server" ? ["in-its-turn"] : []),
    ...(node.gpu ? ["", settings.limits.podsSeconds] : []),
  ],
  limitSeconds: settings.limits.gateSeconds + (node.gpu ? settings.limits.podsSeconds : 0),
});

/** After the canary wave: the cluster is watched with nobody in turn. */
export const canarySoak = (settings: Settings, { nodes, soakSeconds }: Wave): PlannedStep => ({
  id: "canary-soak",
  title: `watch the cluster for ${soakSeconds} s after its first agents`,
  on: helperFor(settings),
  script: "canary-soak",
  args: [
    settings.rke2Version,
    settings.limits.leaseSeconds,
    settings.limits.readySeconds,
    soakSeconds,
    ...nodes.map((node) => node.name),
  ],
  limitSeconds: settings.limits.readySeconds + soakSeconds + 60,
});

/** A consent for all pods is written "*"; the script matches namespace/name. */
const podPattern = (pattern: string): string => (pattern === "*" ? "*/*" : pattern);

/** Nodes without a registry need the wanted release's images before the first new server rolls out its charts. */
const importsImages = ({ install, rke2Version, acceptedVersion }: Settings): boolean =>
  install.images !== undefined && rke2Version !== acceptedVersion;

/** Both versions' release files to a node: going back needs no download. */
export const fetchArtifacts = (settings: Settings, node: ClusterNode): PlannedStep => ({
  id: "fetch-artifacts",
  title: `fetch and check ${[...new Set([settings.rke2Version, settings.acceptedVersion])].join(" and ")}${importsImages(settings) ? `; have RKE2 import ${settings.rke2Version}'s images` : ""}`,
  on: node,
  script: "fetch-artifacts",
  args: [
    settings.install.scriptUrl,
    settings.install.artifactUrl,
    settings.install.caCertificate ?? "",
    settings.rke2Version,
    settings.acceptedVersion,
    ...(settings.install.images ? [settings.install.images] : []),
  ],
  limitSeconds: settings.limits.fetchSeconds,
});

/** Before a server's machine is paused: leadership away; what the snapshot holds comes up with RKE2 at rest. */
export const leaderAway = (settings: Settings, node: ClusterNode): PlannedStep => ({
  id: "leader-away",
  title: "move etcd's leadership away; have the snapshot come up at rest",
  on: node,
  script: "leader-away",
  args: [node.role],
  limitSeconds: settings.limits.gateSeconds,
});

/** After a server's snapshot: RKE2 may start here again, as before. */
export const releaseHold = (settings: Settings, node: ClusterNode): PlannedStep => ({
  id: "release-hold",
  title: "let RKE2 start here again",
  on: node,
  script: "release-hold",
  args: [node.role],
  limitSeconds: settings.limits.gateSeconds,
});

/** A server that went down while it was held for its snapshot: RKE2 runs again, and stays held for it. */
export const startHeld = (settings: Settings, node: ClusterNode): PlannedStep => ({
  id: "start-held",
  title: "start RKE2 where it is held for the snapshot to come",
  on: node,
  script: "start-held",
  args: [node.role, settings.limits.serviceStartSeconds],
  // The script gives up first, with the cause from the journal.
  limitSeconds: settings.limits.serviceStartSeconds + 30,
});

/** After a server's machine was paused: health, before the next. */
export const checkHealth = (settings: Settings, node: ClusterNode): PlannedStep => ({
  id: "check-health",
  title: "wait for quorum and Ready",
  on: helperFor(settings, node),
  script: "check-health",
  args: [settings.servers.length, settings.limits.readySeconds],
  limitSeconds: settings.limits.readySeconds + 60,
});

/** Between the last server and the first agent. */
export const chartsSettled = (settings: Settings): PlannedStep => ({
  id: "charts-settled",
  title: "wait for RKE2's own charts and DaemonSets",
  on: helperFor(settings),
  script: "charts-settled",
  args: [settings.limits.settleSeconds],
  limitSeconds: settings.limits.settleSeconds + 60,
});

/** Post-upgrade validation (procedure §3.3.3). */
export const validate = (settings: Settings): PlannedStep => ({
  id: "validate",
  title: "versions, components, pods, ingress",
  on: helperFor(settings),
  script: "validate",
  args: [
    settings.rke2Version,
    settings.servers.length,
    settings.limits.podsSeconds,
    settings.consents.sickPods.map(podPattern).join(" "),
    ...settings.validation.ingress.flatMap(({ url, address }) => [url, address ?? "-"]),
  ],
  limitSeconds: settings.limits.podsSeconds + 60 + 75 * settings.validation.ingress.length,
});

/** When a node is scanned: before anything is touched, in its turn, in the validation, and before the way back is let go. */
export type ScanTime = "before" | "turn" | "after" | "accept";

const SCAN_TITLES: Readonly<Record<ScanTime, string>> = {
  before: "scan it with kube-bench, as it is before the change",
  turn: "scan it: nothing may fail newly, unacknowledged, before the next node",
  after: "scan it again: nothing may fail newly, unacknowledged",
  accept: "scan it once more: nothing may fail newly, unacknowledged",
};

/**
 * A CIS scan of one node (procedure §5.1).
 * @param changeId under which the change began
 * @throws where the config asks for none
 */
export function scan(
  settings: Settings,
  node: ClusterNode,
  when: ScanTime,
  changeId: string = settings.changeId,
): PlannedStep {
  if (!settings.scan) throw new Error("no scan is asked for");
  const { benchmark, timeoutSeconds, acknowledged } = settings.scan;
  const { source, sha256 } = scannerOf(settings.scan);
  // What is acknowledged is no argument of the first: it would be run again for nothing.
  const ids = when === "before" ? [] : acknowledged.map(({ id }) => id);
  return {
    id: `scan-${when}`,
    title: SCAN_TITLES[when],
    on: node,
    script: "scan",
    args: [
      ...[when, node.role, changeId, settings.rke2Version, settings.acceptedVersion],
      ...[source, sha256, settings.install.caCertificate ?? "", benchmark, ...ids],
    ],
    limitSeconds: timeoutSeconds,
  };
}

/** After an operator's release: it is deployed, rolled out, and what it says of itself is well. */
const operatorReady = (settings: Settings, operator: Operator): PlannedStep => ({
  id: `operator-${operator.name}-ready`,
  title: `prove ${operator.name} ${operator.version} deployed, rolled out and well`,
  on: helperFor(settings),
  script: "operator-ready",
  args: [
    operator.namespace,
    operator.name,
    operator.version,
    operator.timeoutSeconds,
    ...operator.health.flatMap(({ resource, path, value }) => [resource, path, value]),
  ],
  limitSeconds: operator.timeoutSeconds + 60,
});

/** Rancher's data back to an export, Rancher at rest until its older release follows. */
const rancherRestore = (settings: Settings, { namespace, name, version }: Operator): PlannedStep => {
  const { restore = "", backup } = settings.rancher;
  return {
    id: "rancher-restore",
    title: `where Rancher is newer than ${version}: stop it, put its data back to ${restore}`,
    on: helperFor(settings),
    script: "rancher-restore",
    args: [
      ...[settings.changeId, namespace, name, version, restore],
      ...[backup.timeoutSeconds, backup.encryptionSecret ?? ""],
    ],
    // The script first waits for the pods to end, at most 120 s.
    limitSeconds: backup.timeoutSeconds + 240,
  };
};

/** After Rancher's release: it serves, says its version itself, and its clusters are there. */
const rancherReady = (settings: Settings, operator: Operator): PlannedStep => ({
  id: "rancher-ready",
  title: `prove that Rancher serves, is ${operator.version} by its own word, and its clusters are Active; watch ${settings.limits.soakServerSeconds} s`,
  on: helperFor(settings),
  script: "rancher-ready",
  args: [
    ...[operator.namespace, operator.name, operator.version, operator.timeoutSeconds],
    settings.limits.soakServerSeconds,
    ...settings.rancher.awayClusters,
  ],
  limitSeconds: operator.timeoutSeconds + settings.limits.soakServerSeconds + 60,
});

/** What stands before an operator's release. */
export const beforeRelease = (settings: Settings, operator: Operator): PlannedStep[] =>
  operator.rancher && settings.rancher.restore ? [rancherRestore(settings, operator)] : [];

/** What stands after it: the proofs. */
export const afterRelease = (settings: Settings, operator: Operator): PlannedStep[] => [
  operatorReady(settings, operator),
  ...(operator.rancher ? [rancherReady(settings, operator)] : []),
  ...(isGpuOperator(operator) ? gpuAfterRelease(settings, operator) : []),
];

/** Before the way back is let go. */
export const accept = (settings: Settings): PlannedStep => ({
  id: "accept",
  title: "prove every node live on the version",
  on: helperFor(settings),
  script: "accept",
  args: [
    settings.rke2Version,
    settings.servers.length,
    settings.limits.leaseSeconds,
    ...settings.nodes.map((node) => node.name),
  ],
  limitSeconds: settings.limits.gateSeconds,
});
