import {
  type ClusterNode,
  type Estimate,
  estimate,
  isChanging,
  type Measured,
  type Settings,
  type Step,
  withExpectations,
} from "../config";
import { type Facts, type Finding, inTurn, judge, judgeTiming, judgeTurnTiming } from "../observe";
import { isAheadInRound, nameOf } from "../observe/facts";
import type { Backup } from "./etcdBackups";
import { planOf } from "./plan";
import { judgeWayBackAge } from "./wayBackAge";

/**
 * Every finding before a run, its timing last: what preview shows, and what {@link Preflight} enforces.
 * @param newest the newest etcd snapshot of this change with the accepted version's data
 */
export const judgeRun = (
  settings: Settings,
  facts: Facts,
  owner: string | undefined,
  newest: Backup | undefined,
): Finding[] => [
  ...judge(settings, facts, owner),
  ...judgeWayBackAge(settings, facts, newest),
  ...judgeTiming(settings, facts, estimateOf(settings, facts)),
];

/**
 * The timing of one node's turn, for its gate: windows and critical workloads, asked afresh.
 * @param before what the preflight read of nodes that the gate does not look at
 */
export const judgeTimingOfTurn = (
  settings: Settings,
  facts: Facts,
  node: ClusterNode,
  before: readonly Measured[] = [],
): Finding[] => judgeTurnTiming(settings, facts, estimateOf(settings, facts, before), node);

/** The plan with what each step should take, by what the nodes remember of earlier runs. */
export const forecast = (settings: Settings, facts: Facts): Step[] =>
  withExpectations(planOf(settings), settings, measuredIn(facts));

function estimateOf(settings: Settings, facts: Facts, before: readonly Measured[] = []): Estimate {
  const measured = [...before, ...measuredIn(facts)];
  return estimate(planOf(settings), settings, measured, doneNodes(settings, facts));
}

/** What the nodes that were looked at remember of earlier runs. */
export const measuredIn = ({ nodes }: Facts): Measured[] =>
  [...nodes.values()].flatMap((seen) => ("value" in seen ? seen.value.durations : []));

/** Nodes whose turn is over: the wanted version installed, running and active, and no mark of a turn. */
function doneNodes(settings: Settings, { nodes, cluster }: Facts): Set<string> {
  const { rke2Version: wanted } = settings;
  if (!isChanging(settings)) return new Set();
  const isDone = (name: string) => {
    if (inTurn(settings, cluster, name) || isAheadInRound(settings, cluster, name)) return false;
    const seen = nodes.get(name);
    if (seen && "value" in seen) {
      const { versionOnDisk, versionRunning, service } = seen.value;
      return versionOnDisk === wanted && versionRunning === wanted && service === "active";
    }
    // A gate does not look at other agents; of them it knows what the cluster says.
    const found = "value" in cluster ? cluster.value.nodes.find((node) => nameOf(node) === name) : undefined;
    return found?.status?.nodeInfo?.kubeletVersion === wanted;
  };
  return new Set(settings.nodes.map(({ name }) => name).filter(isDone));
}
