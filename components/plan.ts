import {
  type ClusterNode,
  hasTurn,
  isChanging,
  isSerial,
  type Operator,
  type Phase,
  restoreTestNode,
  type Settings,
  type Step,
  wavesOf,
  withExpectations,
} from "../config";
import { type BackStep, backPhases } from "./recovery/phases";
import {
  accept,
  afterRelease,
  agentTurn,
  beforeRelease,
  canarySoak,
  chartsSettled,
  checkHealth,
  fetchArtifacts,
  leaderAway,
  type PlannedStep,
  releaseHold,
  restorePoint,
  type ScanTime,
  scan,
  serverTurn,
  validate,
  verifyNode,
} from "./turns";

/**
 * The plan as the stack's output: a line a step, `id: title (about N s, at most N s)`, by durations alone, which a preview shows in a readable length.
 */
export const planLines = (settings: Settings): string[] =>
  withExpectations(planOf(settings), settings).map(
    ({ id, title, expectedSeconds, boundSeconds }) =>
      `${id}: ${title} (about ${expectedSeconds} s, at most ${boundSeconds} s)`,
  );

/** A line of the plan; where it is a script on a node, what is run there. */
export interface PlanLine extends Step {
  readonly planned?: PlannedStep;
}

/**
 * Every step of a run in order, as data: what the components lay out, for preview and the stack's output `plan`.
 * A function of the config alone.
 */
export function planOf(settings: Settings): PlanLine[] {
  if (settings.goBack) return back(settings);
  return isChanging(settings) ? forward(settings) : settled(settings);
}

function forward(settings: Settings): PlanLine[] {
  const { nodes, servers, agents, limits, restoreTest } = settings;
  const tested = restoreTestNode(settings);
  const snapshot = (node: ClusterNode): Step => ({
    ...bare("way-back", `${node.name}-vm-snapshot`, "snapshot the VM", limits.snapshotSeconds),
    node: node.name,
  });
  return [
    bare("change", "change", "judge the move; freeze attempt, direction and owner", limits.gateSeconds),
    bare("preflight", "preflight", "ask every question anew; take the locks", limits.gateSeconds),
    ...operatorsGate(settings),
    ...scans(settings, "preflight", "before"),
    ...nodes.map((node) => ({
      ...line("artifacts", fetchArtifacts(settings, node), node),
      together: "artifacts",
    })),
    ...servers.flatMap((node) => [
      ...(restoreTest.enabled && node === tested
        ? [line("way-back", restorePoint(settings, node), node)]
        : []),
      line("way-back", leaderAway(settings, node), node),
      snapshot(node),
      line("way-back", releaseHold(settings, node), node),
      line("way-back", checkHealth(settings, node), node),
    ]),
    ...agents.map((node) => ({ ...snapshot(node), together: "agents" })),
    bare(
      "way-back",
      "restore-test",
      restoreTest.enabled
        ? `restore ${tested.name}'s snapshot and an etcd snapshot in VM ${restoreTest.vmId}, unplugged, and destroy it`
        : "no restore test: restoreTest.enabled is false",
      limits.restoreTestSeconds,
    ),
    bare(
      "way-back",
      "etcd-backup",
      "take an etcd snapshot, bring it off its node, encrypted",
      limits.etcdSnapshotSeconds,
    ),
    ...rancherExport(settings),
    ...operatorsAt(settings, "before"),
    ...servers
      .filter((node) => hasTurn(settings, node))
      .flatMap((node) => [
        turnGate(settings, "servers", node),
        ...serverTurn(settings, node).map((planned) => line("servers", planned, node)),
      ]),
    line("settle", chartsSettled(settings)),
    ...agentsInOrder(settings),
    ...operatorsAt(settings, "after"),
    line("validation", validate(settings)),
    bare("validation", "smoke-test", "run a test workload to its end", limits.smokeTestSeconds),
    ...scans(settings, "validation", "after"),
    bare("record", "manifest", "write the version manifest", limits.gateSeconds),
  ];
}

/** A scan of every node, side by side, where the config asks for them. */
const scans = (settings: Settings, phase: Phase, when: ScanTime): PlanLine[] =>
  settings.scan
    ? settings.nodes.map((node) => ({
        ...line(phase, scan(settings, node, when), node),
        together: `scan-${when}`,
      }))
    : [];

/** The questions before any operator; none where there are none. */
const operatorsGate = (settings: Settings): Step[] =>
  settings.operators.length === 0
    ? []
    : [
        bare(
          "preflight",
          "operators-gate",
          `ask whether the operators may be moved${isChanging(settings) ? "" : "; take the cluster's lock where one is"}`,
          settings.limits.gateSeconds,
        ),
      ];

/** Rancher's export, where one is asked for. */
const rancherExport = ({ rancher: { backup } }: Settings): Step[] =>
  backup.enabled
    ? [
        bare(
          "operators-before",
          "rancher-backup",
          `have rancher-backup export Rancher (${backup.resourceSet}), bring the file out of the cluster, encrypted`,
          backup.timeoutSeconds,
        ),
      ]
    : [];

/** The operators of one place in the order: each its release, then its health. */
const operatorsAt = (settings: Settings, when: Operator["when"]): PlanLine[] =>
  settings.operators
    .filter((operator) => operator.when === when)
    .flatMap((operator) => [
      ...beforeRelease(settings, operator).map((planned) => line(`operators-${when}`, planned)),
      bare(
        `operators-${when}`,
        `operator-${operator.name}-release`,
        `${operator.adopt ? "take over or upgrade" : "install or upgrade"} the release ${operator.namespace}/${operator.name} at ${operator.version}`,
        operator.timeoutSeconds,
      ),
      ...afterRelease(settings, operator).map((planned) => line(`operators-${when}`, planned)),
    ]);

/** The agents: one after another, or wave by wave, the steps of those that go together told side by side. */
function agentsInOrder(settings: Settings): PlanLine[] {
  const turn = (node: ClusterNode): PlanLine[] => [
    turnGate(settings, "agents", node),
    ...agentTurn(settings, node).map((planned) => line("agents", planned, node)),
  ];
  if (isSerial(settings)) return settings.agents.flatMap(turn);
  return wavesOf(settings).flatMap((wave) => {
    const { number, nodes, soakSeconds } = wave;
    const end = bare("agents", `wave-${number}-end`, "prove the whole wave", settings.limits.gateSeconds);
    const turns = sideBySide(nodes.map(turn)).map(([step, i]) => ({
      ...step,
      ...(nodes.length > 1 && { together: `wave-${number}-${i}` }),
    }));
    const after = [
      ...(nodes.length > 1 ? [end] : []),
      ...(soakSeconds > 0 ? [line("agents", canarySoak(settings, wave))] : []),
    ];
    return [...turns, ...after].map((step) => ({ ...step, wave: number }));
  });
}

/** Lanes step by step, each step with its place in its lane: the first of each lane, then the second of each. */
function sideBySide<T>(lanes: readonly (readonly T[])[]): [T, number][] {
  const longest = Math.max(0, ...lanes.map((lane) => lane.length));
  return Array.from({ length: longest }).flatMap((_, i) =>
    lanes.flatMap((lane): [T, number][] => {
      const one = lane[i];
      return one ? [[one, i]] : [];
    }),
  );
}

/** The way back: the phases that components/recovery lays out, and the proof at their end. */
function back(settings: Settings): PlanLine[] {
  const { limits } = settings;
  return [
    bare("change", "change", "judge the move; freeze attempt, direction and owner", limits.gateSeconds),
    bare("preflight", "preflight", "ask what the way back needs; take the locks", limits.gateSeconds),
    ...backPhases(settings).flatMap(({ id, phase, lanes }) =>
      sideBySide(lanes).map(([one, i]) => ({
        ...backLine(phase, one, settings),
        ...(lanes.length > 1 && { together: `${id}-${i}` }),
      })),
    ),
    bare(
      "proof",
      "recovered",
      "prove etcd one and whole on every server; tell RTO and RPO",
      limits.readySeconds,
    ),
  ];
}

function backLine(phase: Phase, one: BackStep, { limits }: Settings): PlanLine {
  switch (one.kind) {
    case "command":
      return line(phase, one.planned, one.node);
    case "rollback":
      return {
        ...bare(phase, one.name, "put its VM back to the snapshot, power it on", limits.snapshotSeconds),
        node: one.node.name,
      };
    case "place":
      return {
        ...bare(
          phase,
          one.name,
          "decrypt the etcd snapshot here and place it there",
          limits.etcdSnapshotSeconds,
        ),
        node: one.node.name,
      };
  }
}

function settled(settings: Settings): PlanLine[] {
  const { nodes, limits } = settings;
  return [
    bare("change", "change", "judge the move; freeze attempt, direction and owner", limits.gateSeconds),
    ...operatorsGate(settings),
    ...rancherExport(settings),
    ...operatorsAt(settings, "before"),
    ...operatorsAt(settings, "after"),
    ...nodes.map((node) => ({
      ...line("acceptance", verifyNode(settings, node), node),
      // Not the ID of its turn's proof: one report may hold both.
      id: `${node.name}-verify`,
      together: "verify",
    })),
    ...scans(settings, "acceptance", "accept"),
    line("acceptance", accept(settings)),
    bare(
      "acceptance",
      "release",
      "delete this change's VM snapshots, if any, and let the locks go",
      limits.snapshotSeconds,
    ),
    bare("record", "manifest", "write the version manifest", limits.gateSeconds),
  ];
}

const bare = (phase: Phase, id: string, title: string, boundSeconds: number): Step => ({
  id,
  phase,
  title,
  boundSeconds,
});

const turnGate = ({ limits }: Settings, phase: Phase, node: ClusterNode): PlanLine => ({
  ...bare(phase, `${node.name}-turn-gate`, "ask afresh what may have perished since", limits.gateSeconds),
  node: node.name,
});

const line = (phase: Phase, planned: PlannedStep, node?: ClusterNode): PlanLine => ({
  ...bare(phase, node ? `${node.name}-${planned.id}` : planned.id, planned.title, planned.limitSeconds),
  node: node?.name,
  planned,
});
