/**
 * A way back as data: phases one after another, within a phase lanes side by side, within a lane steps one after
 * another. A function of the config alone; a component lays it out, the plan prints it, and going forward again after
 * a way back that was broken off runs parts of it.
 */
import { type ClusterNode, isWholeCluster, nodesGoingBack, type Phase, type Settings } from "../../config";
import { helperFor, type PlannedStep, verifyNode } from "../turns";
import * as steps from "./steps";

/** One step of a way back: a script on a node, a VM's rollback, or the etcd snapshot's placing on a server. */
export type BackStep =
  | {
      readonly kind: "command";
      readonly name: string;
      readonly node: ClusterNode;
      readonly planned: PlannedStep;
    }
  | { readonly kind: "rollback"; readonly name: string; readonly node: ClusterNode }
  | { readonly kind: "place"; readonly name: string; readonly node: ClusterNode };

/** Steps that are done before the next phase begins. */
export interface BackPhase {
  readonly id: string;
  readonly phase: Phase;
  /** Lanes run side by side. */
  readonly lanes: readonly (readonly BackStep[])[];
}

/** The way back that the stack asks for. @throws where it asks for none */
export function backPhases(settings: Settings): BackPhase[] {
  const { goBack, acceptedVersion } = settings;
  if (!goBack) throw new Error("no way back is asked for");
  if (!isWholeCluster(goBack)) {
    return nodesGoingBack(settings).flatMap((node) => mendNode(settings, node, goBack.strategy));
  }
  return goBack.strategy === "reinstall"
    ? reinstallAll(settings)
    : restoreAll(settings, acceptedVersion, goBack.strategy === "rollback");
}

const command = (node: ClusterNode, planned: PlannedStep): BackStep => ({
  kind: "command",
  name: `${node.name}-${planned.id}`,
  node,
  planned,
});

const phase = (id: string, of: Phase, lanes: readonly (readonly BackStep[])[]): BackPhase[] =>
  lanes.some((lane) => lane.length > 0) ? [{ id, phase: of, lanes }] : [];

/**
 * Within a minor and the same etcd minor (procedure §4.3): node by node, servers first. Servers that are down are
 * started first, all of them, since one alone has no quorum to come up with.
 */
function reinstallAll(settings: Settings): BackPhase[] {
  const { servers, acceptedVersion: version } = settings;
  const nodes = nodesGoingBack(settings);
  const back = (node: ClusterNode) => [
    command(node, steps.stop(settings, node, "service", version)),
    command(node, steps.configBack(settings, node)),
    command(node, steps.install(settings, node, version)),
    command(node, steps.start(settings, node, version)),
    command(node, verifyNode(settings, node, version)),
    command(node, steps.verifyBack(settings, helperFor(settings, node), [node], version)),
  ];
  return [
    ...phase("wake", "standstill", [
      servers.map((node) => command(node, steps.wake(settings, node, version, "back"))),
    ]),
    ...phase("servers", "back-servers", [servers.flatMap(back)]),
    ...phase("agents", "back-agents", [
      agentsOf(nodes).flatMap((node) => [
        command(node, steps.drainFirst(settings, helperFor(settings, node), [node], version)),
        ...back(node),
      ]),
    ]),
    ...finishAll(settings, nodes),
  ];
}

const agentsOf = (nodes: readonly ClusterNode[]) => nodes.filter(({ role }) => role === "agent");

/**
 * Everything stops, everything gets the release, etcd goes back to its snapshot on the first server, the other servers
 * join with no data, then the agents (docs.rke2.io/upgrades/roll-back).
 * @param version the accepted one to go back; the wanted one to go forward again after etcd was reset
 * @param rollBack the servers' machines are lost or not to be trusted: their VMs go back first
 */
export function restoreAll(settings: Settings, version: string, rollBack: boolean): BackPhase[] {
  const { servers } = settings;
  const nodes = nodesGoingBack(settings);
  const agents = agentsOf(nodes);
  const [first, ...others] = servers as [ClusterNode, ...ClusterNode[]];
  const still = (node: ClusterNode) => [
    command(node, steps.stop(settings, node, "everything", version)),
    command(node, steps.configBack(settings, node)),
    command(node, steps.install(settings, node, version)),
  ];
  return [
    // Servers that are lost leave nobody to drain anything.
    ...(rollBack
      ? []
      : phase("drain", "standstill", [[command(first, steps.drainFirst(settings, first, nodes))]])),
    ...(rollBack
      ? [
          ...phase("standstill", "standstill", agents.map(still)),
          ...phase(
            "rollback",
            "rollback",
            servers.map((node): BackStep[] => [
              { kind: "rollback", name: `${node.name}-vm-rollback`, node },
              ...still(node),
            ]),
          ),
        ]
      : phase("standstill", "standstill", nodes.map(still))),
    ...phase("data", "data", [
      [
        { kind: "place", name: `${first.name}-place-snapshot`, node: first },
        command(first, steps.resetEtcd(settings, first)),
      ],
    ]),
    ...phase("servers", "back-servers", [
      [
        command(first, steps.start(settings, first, version, "none")),
        ...others.flatMap((node) => [
          command(node, steps.wipe(settings, node)),
          command(node, steps.start(settings, node, version, first.internalIp)),
        ]),
      ],
    ]),
    ...phase(
      "agents",
      "back-agents",
      agents.map((node) => [command(node, steps.start(settings, node, version))]),
    ),
    ...phase(
      "verify",
      "proof",
      nodes.map((node) => [command(node, verifyNode(settings, node, version))]),
    ),
    ...phase("verify-back", "proof", [[command(first, steps.verifyBack(settings, first, nodes, version))]]),
    ...finishAll(settings, nodes),
  ];
}

/** One node while the others live; the change itself stays forward. */
function mendNode(
  settings: Settings,
  node: ClusterNode,
  strategy: "reinstall" | "restore" | "rollback",
): BackPhase[] {
  const { acceptedVersion: version } = settings;
  const helper = helperFor(settings, node);
  const server = node.role === "server";
  const rolledBack = strategy === "rollback";
  const lane: BackStep[] = [
    command(node, steps.drainFirst(settings, helper, [node])),
    ...(server && rolledBack ? [command(node, steps.removeMember(settings, node))] : []),
    ...(rolledBack ? [{ kind: "rollback", name: `${node.name}-vm-rollback`, node } as const] : []),
    command(node, steps.stop(settings, node, server && !rolledBack ? "service" : "everything", version)),
    command(node, steps.configBack(settings, node)),
    command(node, steps.install(settings, node, version)),
    ...(server && rolledBack ? [command(node, steps.wipe(settings, node))] : []),
    command(node, steps.start(settings, node, version, server && rolledBack ? helper.internalIp : "")),
    command(node, verifyNode(settings, node, version)),
    command(node, steps.verifyBack(settings, helper, [node], version)),
  ];
  return [
    ...phase(`${node.name}-mend`, server ? "back-servers" : "back-agents", [lane]),
    ...phase(`${node.name}-finish`, "proof", [[command(node, steps.finish(settings, node))]]),
  ];
}

const finishAll = (settings: Settings, nodes: readonly ClusterNode[]): BackPhase[] =>
  phase(
    "finish",
    "proof",
    nodes.map((node) => [command(node, steps.finish(settings, node))]),
  );

/**
 * What a way back that was broken off before etcd was reset takes to go forward again: every node starts, and none is
 * in its turn any more. A node that runs the wanted version is then passed by, and proven by the validation.
 * @param version of a node that is down, where its turn had begun
 */
export const wakeNodes = (settings: Settings, nodes: readonly ClusterNode[], version: string): BackPhase[] =>
  phase(
    "wake",
    "back-servers",
    nodes.map((node) => [command(node, steps.wake(settings, node, version, "forward"))]),
  );

/** The proof after it, of every node. */
export function proveAwake(settings: Settings): BackPhase[] {
  const { serviceStartSeconds, readySeconds } = settings.limits;
  const [first] = settings.servers;
  if (!first) return [];
  const seconds = serviceStartSeconds + readySeconds;
  const proof = steps.verifyBack(settings, first, settings.nodes, "", seconds);
  return phase("verify-back", "proof", [[command(first, proof)]]);
}
