/** The criteria of procedure §4.3 for going back, as what was seen answers them. Told where a change is under way; nothing is decided by them. */
import type { V1Node, V1Pod } from "@kubernetes/client-node";
import type { Settings } from "../config";
import { type CensusChange, describeCensus } from "./census";
import { type Facts, fullName, nameOf } from "./facts";
import { installed } from "./installed";
import type { Look } from "./look";

/** One of the criteria. */
export interface Criterion {
  readonly asks: string;
  /** Undefined where nobody could tell. */
  readonly met: boolean | undefined;
  readonly found: string;
}

/** Procedure §4.3: control plane nodes that are NotReady for longer. */
const NOT_READY_MINUTES = 15;

/** What tells of data corruption, beside what was seen. */
export interface DataFacts {
  /** Whether every server's etcd holds the same data, by its own hash and alarm; undefined where nobody could tell. */
  readonly etcdWhole?: boolean;
  /** Why it does not, in words. */
  readonly etcdWhy?: string;
  /** What has become of the objects that the etcd snapshot of before the change holds; undefined before there is one. */
  readonly objects?: Look<CensusChange>;
}

/** Pure. */
export function judgeCriteria(
  settings: Settings,
  facts: Pick<Facts, "nodes" | "cluster">,
  dataFacts: DataFacts,
): Criterion[] {
  const { cluster } = facts;
  const data = judgeData(dataFacts);
  if ("missing" in cluster) {
    const found = `not measured: ${cluster.missing}`;
    return [
      { asks: SERVERS, met: undefined, found },
      { asks: CRITICAL, met: undefined, found },
      data,
      // A server that does not even answer over SSH says nothing of its API.
      settings.servers.some(({ name }) => "value" in (facts.nodes.get(name) ?? {}))
        ? { asks: ACCESS, met: true, found: `no server's API answers: ${cluster.missing}` }
        : { asks: ACCESS, met: undefined, found },
    ];
  }
  const { nodes, pods, critical, at } = cluster.value;
  const servers = new Set(settings.servers.map(({ name }) => name));
  const down = nodes.filter((node) => servers.has(nameOf(node)) && minutesNotReady(node, at) !== undefined);
  const long = down.filter((node) => (minutesNotReady(node, at) ?? 0) > NOT_READY_MINUTES);
  const homeless = (settings.criticalWorkloads === undefined ? pods : critical).filter((pod) =>
    isHomeless(pod, at, settings.limits.podsSeconds),
  );
  return [
    {
      asks: SERVERS,
      met: long.length > 1,
      found: down.map((node) => `${nameOf(node)} for ${minutesNotReady(node, at)} min`).join(", ") || "none",
    },
    {
      asks: CRITICAL,
      // Without a selector nobody has said which are critical: it is told, and the operator knows.
      met:
        settings.criticalWorkloads === undefined
          ? homeless.length === 0
            ? false
            : undefined
          : homeless.length > 0,
      found: `${homeless.map(fullName).join(", ") || "none"}${settings.criticalWorkloads === undefined ? " of all pods (criticalWorkloads names none)" : ""}`,
    },
    data,
    accessBy(pods),
  ];
}

/** Members that differ, or objects that are gone from all of them. What was not counted speaks neither for nor against. */
function judgeData({ etcdWhole, etcdWhy, objects }: DataFacts): Criterion {
  const found =
    etcdWhole === undefined
      ? "not measured: not every server's etcd answers"
      : etcdWhole
        ? "every server's etcd has the same hash of its data, and no alarm of corruption"
        : `etcd is not whole: ${etcdWhy ?? "its members differ, or it raises the alarm of corruption"}`;
  const asks = "data corruption";
  if (!objects) return { asks, met: etcdWhole === undefined ? undefined : !etcdWhole, found };
  const counted = "value" in objects;
  const suspected = counted && objects.value.suspected.length > 0;
  return {
    asks,
    met: suspected || (etcdWhole === undefined ? undefined : !etcdWhole),
    found: `${found}; ${counted ? describeCensus(objects.value) : `objects by kind: not measured: ${objects.missing}`}`,
  };
}

const SERVERS = `several servers NotReady for over ${NOT_READY_MINUTES} min`;
const CRITICAL = "critical workloads find no node";
const ACCESS = "no access by kubectl or Rancher";

/** Whole minutes since a node stopped being Ready; undefined where it is. */
function minutesNotReady({ status }: V1Node, now: Date): number | undefined {
  const ready = status?.conditions?.find(({ type }) => type === "Ready");
  if (ready?.status === "True") return undefined;
  const since = ready?.lastTransitionTime ? new Date(ready.lastTransitionTime).getTime() : now.getTime();
  return Math.floor((now.getTime() - since) / 60_000);
}

/** Without a node for longer than a drained pod takes to find one. */
function isHomeless({ status }: V1Pod, now: Date, seconds: number): boolean {
  const placed = status?.conditions?.find(({ type }) => type === "PodScheduled");
  if (status?.phase !== "Pending" || placed?.status !== "False") return false;
  const since = placed.lastTransitionTime ? new Date(placed.lastTransitionTime).getTime() : 0;
  return now.getTime() - since > seconds * 1000;
}

const isReady = ({ status }: V1Pod): boolean =>
  status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") === true;

/** The API has answered; Rancher is in reach where one of its pods is Ready. */
function accessBy(pods: readonly V1Pod[]): Criterion {
  const rancher = pods.filter((pod) => installed([pod]).some(({ component }) => component === "rancher"));
  const ready = rancher.filter(isReady).length;
  return {
    asks: ACCESS,
    met: rancher.length > 0 && ready === 0,
    found:
      rancher.length === 0
        ? "the API answers; no Rancher runs here"
        : `the API answers; ${ready} of ${rancher.length} of Rancher's pods are Ready`,
  };
}

/** How the lines about them begin: they are told by it. */
export const OF_CRITERIA = "Procedure §4.3's criteria for going back";

/** The criteria in lines, for the operator, and what they come to. */
export function describeCriteria(criteria: readonly Criterion[]): string[] {
  const met = criteria.filter((one) => one.met);
  const unknown = criteria.filter((one) => one.met === undefined).length;
  const word = ({ met }: Criterion) => (met === undefined ? "?  " : met ? "MET" : "no ");
  return [
    met.length > 0
      ? `${OF_CRITERIA}: met. Where it cannot be mended within the window, go back`
      : unknown > 0
        ? `${OF_CRITERIA}: none is known to be met, ${unknown} could not be judged`
        : `${OF_CRITERIA}: none is met. Mend what is wrong and go on`,
    ...criteria.map((one) => `  ${word(one)} ${one.asks}: ${one.found}`),
  ];
}
