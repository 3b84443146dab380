import type { V1Node } from "@kubernetes/client-node";
import { isPatched, isRound, type Settings } from "../config";
import type { ClusterFacts } from "./cluster";
import type { Dashboard } from "./dashboards";
import type { KubeconfigFacts } from "./kubeconfig";
import type { Look } from "./look";
import type { NodeFacts } from "./node";
import type { OsFacts } from "./os";
import type { HostFacts } from "./proxmox";

/** All that was looked at, at one moment. */
export interface Facts {
  readonly nodes: ReadonlyMap<string, Look<NodeFacts>>;
  readonly cluster: Look<ClusterFacts>;
  readonly hosts: Look<HostFacts>;
  /** When it was looked at, by this machine's clock: windows are judged by it. */
  readonly at: Date;
  readonly dashboards: readonly Dashboard[];
  /** Of the configured kubeconfig; undefined where none is. */
  readonly kubeconfig?: KubeconfigFacts;
  /** Of the nodes whose OS is patched and that are not past that; undefined where there is none. */
  readonly os?: ReadonlyMap<string, Look<OsFacts>>;
}

/** Annotation on a node in its turn: the change's ID (scripts/gate-cluster.sh). */
const WORKING = "rke2-upgrade/working";

/** Whether a node bears this change's mark: its turn has begun and not ended. */
export const isMarked = ({ changeId }: Settings, node: V1Node | undefined): boolean =>
  node?.metadata?.annotations?.[WORKING] === changeId;

/** Whether the node is Ready, by the cluster's word. */
export const isReady = (node: V1Node): boolean =>
  node.status?.conditions?.find(({ type }) => type === "Ready")?.status === "True";

/** Annotation on a node that a round of OS patches is done with: the change's ID (uncordon.sh). The release of the way back removes it (hold-cluster.sh). */
const PATCHED = "rke2-upgrade/patched";

/** Whether a round of OS patches is done with the node, by the cluster's word: its version cannot tell. */
export const isPatchedIn = (round: string, node: V1Node | undefined): boolean =>
  node?.metadata?.annotations?.[PATCHED] === round;

/** Whether the node's turn has done its work, by the cluster's word: nothing takes it down any more, its mark or not. */
export const isUpgraded = (settings: Settings, node: V1Node): boolean =>
  node.status?.nodeInfo?.kubeletVersion === settings.rke2Version &&
  (!isRound(settings) || isPatchedIn(settings.changeId, node));

/** Whether the node's turn in the round of OS patches under way has not ended, or nobody can say so. */
export const isAheadInRound = (settings: Settings, cluster: Look<ClusterFacts>, name: string): boolean => {
  const node = settings.nodes.find((one) => one.name === name);
  if (!isRound(settings) || !node || !isPatched(settings, node)) return false;
  const found = "value" in cluster ? cluster.value.nodes.find((one) => nameOf(one) === name) : undefined;
  return !isPatchedIn(settings.changeId, found);
};

/** Whether the node's turn has begun and not ended, by the cluster's word. */
export const inTurn = (settings: Settings, cluster: Look<ClusterFacts>, name: string): boolean =>
  "value" in cluster &&
  isMarked(
    settings,
    cluster.value.nodes.find((node) => nameOf(node) === name),
  );

/** An object's name; empty where it has none, which Kubernetes does not allow. */
export const nameOf = (object: { metadata?: { name?: string } }): string => object.metadata?.name ?? "";

/** An object as people write it: namespace/name. */
export const fullName = (object: { metadata?: { namespace?: string; name?: string } }): string =>
  `${object.metadata?.namespace}/${object.metadata?.name}`;
