/** What a change has altered already, by the nodes' own words and, where one is silent, by the cluster's. Pure. */
import type { Settings } from "../config";
import type { Facts, NodeFacts } from "../observe";
import { isMarked, isPatchedIn, nameOf } from "../observe/facts";

/** What of the way back cannot be made anew. */
export interface Touched {
  /** Nodes with another RKE2, or with OS packages that this change began to upgrade: a snapshot now would be no way back. */
  readonly nodes: ReadonlySet<string>;
  /** Those of them with another RKE2: where one is a server, etcd no longer has the accepted version's data alone. */
  readonly upgraded: ReadonlySet<string>;
}

/**
 * A mark alone is no touch, it is set before anything is changed; where a node was not asked or does not answer, mark and
 * version by the cluster's word are all there is to go by. Without that too every node counts.
 */
export function touched(settings: Settings, { cluster, nodes }: Facts, accepted: string): Touched {
  const names = settings.nodes.map(({ name }) => name);
  const of = (byItself: (seen: NodeFacts) => boolean): ReadonlySet<string> =>
    new Set(
      names.filter((name) => {
        const seen = nodes.get(name);
        if (seen && "value" in seen) return byItself(seen.value);
        if (!("value" in cluster)) return true;
        const found = cluster.value.nodes.find((node) => nameOf(node) === name);
        return (
          found?.status?.nodeInfo?.kubeletVersion !== accepted ||
          isMarked(settings, found) ||
          isPatchedIn(settings.changeId, found)
        );
      }),
    );
  const isUpgraded = ({ versionOnDisk, versionRunning }: NodeFacts) =>
    versionOnDisk !== accepted || ![accepted, ""].includes(versionRunning);
  return {
    nodes: of((seen) => isUpgraded(seen) || isPatchedUnder(settings.changeId, seen)),
    upgraded: of(isUpgraded),
  };
}

/**
 * Whether the change began to upgrade the node's OS packages: for that its RKE2 is still the accepted one. Whatever
 * `osPatch` says now: it may have been switched off since.
 */
export const isPatchedUnder = (
  changeId: string,
  { patchedUnder }: Pick<NodeFacts, "patchedUnder">,
): boolean => patchedUnder.includes(changeId);

/** Whether a node runs the accepted version, installed and running, with the OS packages that it had before the change. */
export const isUntouched = (accepted: string, changeId: string, seen: NodeFacts): boolean =>
  seen.versionOnDisk === accepted &&
  seen.versionRunning === accepted &&
  seen.service === "active" &&
  !isPatchedUnder(changeId, seen);
