/**
 * The whole order of a change as data: which step runs when, on which node, for how long at most. Pure. Components
 * lay these steps out as resources; preview prints them; the stack's output `plan` carries them.
 */
import type { ClusterNode, Limits, Settings } from "./settings";

/** The parts of a change, in their order. */
export const PHASES = [
  "change",
  "preflight",
  "artifacts",
  "way-back",
  "servers",
  "settle",
  "agents",
  "validation",
  "acceptance",
  "record",
] as const;
export type Phase = (typeof PHASES)[number];

/** One step. Later steps wait for all earlier ones, save for those that share its `together`. */
export interface Step {
  /** Unique and stable, kebab-case: `<node>-<step>` on a node, else the step's name. Names the resource. */
  readonly id: string;
  readonly phase: Phase;
  /** The node that the step works on, where it works on one. */
  readonly node?: string;
  /** What it does, for people; begins with a verb. */
  readonly title: string;
  /** After this many seconds the step has failed. */
  readonly boundSeconds: number;
  /** How long it takes where that is known beforehand: waits of a set length alone. Nobody can know the rest. */
  readonly expectedSeconds?: number;
  /** Steps of the same group run side by side. */
  readonly together?: string;
}

/** `forward`: towards rke2Version, with a way back. `settled`: nothing is under way, nothing is installed. */
export type PlanMode = "forward" | "settled";

/** Every step of a run in order. A function of the config alone. */
export function buildPlan(settings: Settings, mode: PlanMode): Step[] {
  return mode === "forward" ? forwardPlan(settings) : settledPlan(settings);
}

function forwardPlan(settings: Settings): Step[] {
  const { servers, agents, limits } = settings;
  return [
    ...opening(limits),
    ...artifacts(settings),
    ...wayBack(settings),
    ...servers.flatMap((node) => serverSteps(node, limits)),
    settle(limits),
    ...agents.flatMap((node) => agentSteps(node, settings)),
    ...validation(settings),
    record(limits),
  ];
}

/** Proves that every node lives on the version, then lets go of the way back, if there is one. */
function settledPlan(settings: Settings): Step[] {
  const { nodes, limits } = settings;
  return [
    ...opening(limits),
    ...nodes.map((node) => verify(node, limits)),
    settle(limits),
    ...validation(settings),
    step("accept", "acceptance", "prove every node live on the accepted version", limits.gateSeconds),
    step("release-snapshots", "acceptance", "delete this change's VM snapshots", limits.snapshotSeconds),
    step("unlock", "acceptance", "release the cluster's lock", limits.gateSeconds),
    record(limits),
  ];
}

function opening(limits: Limits): Step[] {
  return [
    step(
      "change",
      "change",
      "judge the move and freeze its attempt, direction and owner",
      limits.gateSeconds,
    ),
    step(
      "lock",
      "preflight",
      "lock the cluster and every node against a second operator",
      limits.gateSeconds,
    ),
    step(
      "preflight",
      "preflight",
      "ask every question that must hold before anything changes",
      limits.gateSeconds,
    ),
  ];
}

/** Both versions to every node, so that neither the upgrade nor the way back needs a download. */
function artifacts({ nodes, limits }: Settings): Step[] {
  return nodes.map((node) => ({
    ...on(
      node,
      "artifacts",
      "artifacts",
      "fetch and check the artifacts of both versions",
      limits.fetchSeconds,
    ),
    together: "artifacts",
  }));
}

/** Servers one at a time with health between, since a snapshot pauses its VM; agents side by side. */
function wayBack({ servers, agents, limits }: Settings): Step[] {
  const phase = "way-back";
  const ofServer = (node: ClusterNode): Step[] => [
    on(node, "snapshot-leader-away", phase, "move etcd's leadership to another server", limits.gateSeconds),
    on(node, "snapshot", phase, "snapshot the VM", limits.snapshotSeconds),
    on(node, "snapshot-health", phase, "wait until etcd and the node are healthy again", limits.readySeconds),
  ];
  const ofAgent = (node: ClusterNode): Step => ({
    ...on(node, "snapshot", phase, "snapshot the VM", limits.snapshotSeconds),
    together: "agent-snapshots",
  });
  return [
    ...servers.flatMap(ofServer),
    ...agents.map(ofAgent),
    step("etcd-snapshot", phase, "take an etcd snapshot", limits.etcdSnapshotSeconds),
    step(
      "etcd-snapshot-fetch",
      phase,
      "bring the etcd snapshot off its node, encrypted, with its checksum",
      limits.etcdSnapshotSeconds,
    ),
  ];
}

function serverSteps(node: ClusterNode, limits: Limits): Step[] {
  const phase = "servers";
  return [
    gate(node, phase, limits),
    on(
      node,
      "backup-config",
      phase,
      "keep a copy of the RKE2 config, once for this change",
      limits.gateSeconds,
    ),
    on(node, "leader-away", phase, "move etcd's leadership to another server", limits.gateSeconds),
    ...replaceRke2(node, phase, limits),
    verify(node, limits),
    soak(node, phase, limits.soakServerSeconds),
  ];
}

function agentSteps(node: ClusterNode, { drain, limits }: Settings): Step[] {
  const phase = "agents";
  const drainSeconds = node.gpu ? drain.gpuTimeoutSeconds : drain.timeoutSeconds;
  const gpuBefore = on(node, "gpu-workloads", phase, "list the GPU workloads", limits.gateSeconds);
  const gpuAfter = on(
    node,
    "gpu-verify",
    phase,
    "prove nvidia.com/gpu allocatable and the gpu-operator's pods running",
    limits.podsSeconds,
  );
  return [
    gate(node, phase, limits),
    ...(node.gpu ? [gpuBefore] : []),
    on(node, "cordon", phase, "cordon the node, marked as ours", limits.gateSeconds),
    on(node, "drain", phase, "move its pods away within their budgets", drainSeconds),
    ...replaceRke2(node, phase, limits),
    verify(node, limits),
    ...(node.gpu ? [gpuAfter] : []),
    on(node, "uncordon", phase, "uncordon the node", limits.gateSeconds),
    soak(node, phase, limits.soakAgentSeconds),
  ];
}

function gate(node: ClusterNode, phase: Phase, limits: Limits): Step {
  return on(node, "gate", phase, "ask this node's and the cluster's questions anew", limits.gateSeconds);
}

function replaceRke2(node: ClusterNode, phase: Phase, limits: Limits): Step[] {
  return [
    on(node, "install", phase, "install the wanted version from the node's own disk", limits.installSeconds),
    on(node, "restart", phase, `restart rke2-${node.role}`, limits.serviceStartSeconds),
  ];
}

/** Ready within its limit, then its pods within theirs. */
function verify(node: ClusterNode, limits: Limits): Step {
  const phase = node.role === "server" ? "servers" : "agents";
  const bound = limits.readySeconds + limits.podsSeconds;
  return on(
    node,
    "verify",
    phase,
    "prove the node Ready, its lease renewed and its pods on the version",
    bound,
  );
}

function soak(node: ClusterNode, phase: Phase, seconds: number): Step {
  const bound = seconds + SOAK_MARGIN_SECONDS;
  return {
    ...on(node, "soak", phase, "watch that it stays healthy", bound),
    expectedSeconds: seconds,
  };
}

/** What a soak's own questions may take beyond its length. */
const SOAK_MARGIN_SECONDS = 60;

function settle(limits: Limits): Step {
  return step("settle", "settle", "wait for helm-install jobs and DaemonSets", limits.settleSeconds);
}

function validation({ validation: { ingress }, limits }: Settings): Step[] {
  const phase = "validation";
  return [
    step("validate-cluster", phase, "prove versions, components and pods", limits.podsSeconds),
    ...(ingress.length > 0
      ? [step("validate-ingress", phase, "ask every ingress URL", limits.gateSeconds)]
      : []),
    step("smoke-test", phase, "run a test workload to its end", limits.smokeTestSeconds),
  ];
}

function record(limits: Limits): Step {
  return step("manifest", "record", "write the version manifest", limits.gateSeconds);
}

function step(id: string, phase: Phase, title: string, boundSeconds: number): Step {
  return { id, phase, title, boundSeconds };
}

function on(node: ClusterNode, name: string, phase: Phase, title: string, boundSeconds: number): Step {
  return { ...step(`${node.name}-${name}`, phase, title, boundSeconds), node: node.name };
}
