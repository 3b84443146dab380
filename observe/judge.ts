import { type ClusterNode, isDrained, type Settings } from "../config";
import { API_SILENT, apiNotMeasured, judgeApi, SEE_API } from "./checks/api";
import { judgeBackupAges } from "./checks/backups";
import { judgeCapacity } from "./checks/capacity";
import { judgeCharts } from "./checks/charts";
import { judgeClocks } from "./checks/clocks";
import { judgeComponents } from "./checks/compatibility";
import { judgeCordons } from "./checks/cordons";
import { judgeDashboards } from "./checks/dashboards";
import { judgeDrains } from "./checks/drains";
import { judgeEtcd } from "./checks/etcd";
import { judgeFellows } from "./checks/fellows";
import { hostQuestions, judgeHosts, turnHostQuestions } from "./checks/hosts";
import { judgeKubeconfig } from "./checks/kubeconfig";
import { judgeLock } from "./checks/lock";
import { judgeMachine } from "./checks/machine";
import { judgeNode } from "./checks/node";
import { judgeNodes } from "./checks/nodes";
import { judgeOsPatch } from "./checks/osPatch";
import { judgeVersionPolicy } from "./checks/policy";
import { judgeRancherExport } from "./checks/rancherExport";
import { judgeRemovedApis, judgeStrandedObjects } from "./checks/removedApis";
import { judgeServerCapacity } from "./checks/serverCapacity";
import { judgeStorage } from "./checks/storage";
import { judgeStrangers } from "./checks/strangers";
import { judgeWorkloads } from "./checks/workloads";
import { type ClusterFacts, parseCluster } from "./cluster";
import type { Facts } from "./facts";
import type { Finding } from "./finding";
import { unmeasured } from "./unmeasured";

/** What the cluster is judged for. */
export interface Purpose {
  /** The UUID of this stack's change; undefined before the first `up`, when any holder is another's. */
  readonly owner: string | undefined;
  /** The agents whose drains are ahead. */
  readonly drained: readonly ClusterNode[];
  /** Whose turn it is judged for; undefined before a run. */
  readonly turn?: string;
}

/** A check of what the cluster says. Pure. */
type ClusterCheck = (settings: Settings, seen: ClusterFacts, purpose: Purpose) => Finding[];

/** In the order in which they are told, after {@link judgeApi}. */
const CLUSTER_CHECKS: readonly ClusterCheck[] = [
  judgeNodes,
  judgeCordons,
  judgeStrangers,
  judgeWorkloads,
  judgeCharts,
  judgeStorage,
  judgeDrains,
  judgeCapacity,
  judgeLock,
];

/** A check of several looks together. Pure. */
type Check = (settings: Settings, facts: Facts) => readonly Finding[];

const CHECKS: readonly Check[] = [
  judgeEtcd,
  judgeServerCapacity,
  judgeVersionPolicy,
  judgeComponents,
  judgeRancherExport,
  judgeRemovedApis,
  judgeStrandedObjects,
  judgeKubeconfig,
  judgeDashboards,
  judgeBackupAges,
  judgeOsPatch,
];

/**
 * Judges what was seen against what must hold before anything is changed. Pure.
 *
 * A node that bears this change's mark is in its turn: it may be down, cordoned or on either version, since the
 * run that goes on is what brings it back. No other may.
 * @param owner the UUID of this stack's change; undefined before the first `up`, when any holder is another's
 */
export function judge(settings: Settings, facts: Facts, owner: string | undefined): Finding[] {
  return [
    ...settings.nodes.flatMap((node) => judgeNode(settings, node, facts, owner)),
    ...settings.nodes.map((node) => judgeMachine(settings, node, facts)),
    ...judgeClocks(settings, facts),
    ...judgeCluster(settings, facts, {
      owner,
      drained: settings.nodes.filter((node) => isDrained(settings, node)),
    }),
    ...CHECKS.flatMap((check) => check(settings, facts)),
    ...judgeHosts(settings, facts.hosts, hostQuestions(settings)),
    ...judgeFellows(settings, facts),
  ];
}

/** Judges what may have perished since {@link judge} was asked, before one node's turn begins or goes on. Pure. */
export function judgeTurn(settings: Settings, node: ClusterNode, facts: Facts, owner: string): Finding[] {
  return [
    ...judgeNode(settings, node, facts, owner),
    judgeMachine(settings, node, facts),
    ...judgeClocks(settings, facts),
    ...judgeCluster(settings, facts, {
      owner,
      drained: isDrained(settings, node) ? [node] : [],
      turn: node.name,
    }),
    ...judgeEtcd(settings, facts),
    // Of the servers the one whose turn it is: what the one before has left behind shows here.
    ...judgeServerCapacity(
      { ...settings, servers: settings.servers.filter(({ name }) => name === node.name) },
      facts,
    ),
    ...judgeDashboards(settings, facts),
    ...judgeHosts(settings, facts.hosts, turnHostQuestions(settings, node)),
    ...judgeFellows(settings, facts, node.name),
  ];
}

function judgeCluster(settings: Settings, facts: Facts, purpose: Purpose): Finding[] {
  const { cluster } = facts;
  const judgeAll = (seen: ClusterFacts) => CLUSTER_CHECKS.flatMap((check) => check(settings, seen, purpose));
  return "value" in cluster
    ? [...judgeApi(settings, facts), ...judgeAll(cluster.value)]
    : [apiNotMeasured(cluster.missing), ...unmeasured(judgeAll(silent(settings)), API_SILENT, SEE_API)];
}

/**
 * A cluster that says nothing but the names in the config: of what the checks make of it only their own names and what
 * they want is told, so that these are written once.
 */
const silent = ({ nodes }: Settings): ClusterFacts => ({
  ...parseCluster("", "", []),
  nodes: nodes.map(({ name }) => ({ metadata: { name } })),
  refusedEvictions: [],
});
