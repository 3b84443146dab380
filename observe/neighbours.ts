/** What keeps a pod off a node for the sake of other pods, as the scheduler's filters have it. Pure. */
import type {
  V1LabelSelector,
  V1Node,
  V1NodeSelectorRequirement,
  V1Pod,
  V1PodAffinityTerm,
} from "@kubernetes/client-node";

/** A pod with the node on which it is, or would be. */
export interface Placed {
  readonly pod: V1Pod;
  readonly node: V1Node;
}

/** Whether a label's value is what is required of it. */
export function matches(
  value: string | undefined,
  { operator, values = [] }: Pick<V1NodeSelectorRequirement, "operator" | "values">,
): boolean {
  switch (operator) {
    case "In":
      return value !== undefined && values.includes(value);
    case "NotIn":
      return value === undefined || !values.includes(value);
    case "Exists":
      return value !== undefined;
    case "DoesNotExist":
      return value === undefined;
    case "Gt":
      return Number(value) > Number(values[0]);
    case "Lt":
      return Number(value) < Number(values[0]);
    default:
      return false;
  }
}

/**
 * Why a pod may not run on a node beside those that run already; undefined where it may.
 * @param domains the nodes over which its topology spread is counted: those that its own affinity admits, cordoned ones
 *   too (nodeTaintsPolicy is Ignore unless said otherwise)
 */
export function heldOff(
  pod: V1Pod,
  node: V1Node,
  running: readonly Placed[],
  domains: readonly V1Node[],
): string | undefined {
  if (running.some((other) => other.node === node && sharesPort(pod, other.pod))) return "its host port";
  const anti = running.some(
    (other) =>
      antiTerms(pod).some((term) => meets(term, pod, node, other)) ||
      // The scheduler honours the wish of those that are there already.
      antiTerms(other.pod).some((term) => meets(term, other.pod, other.node, { pod, node })),
  );
  if (anti) return "its required anti-affinity";
  return spreads(pod, node, running, domains) ? undefined : "its topology spread";
}

const antiTerms = ({ spec }: V1Pod): readonly V1PodAffinityTerm[] =>
  spec?.affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [];

/** Whether a term of OWNER, on or about to be on its node, is about the other pod in the same domain. */
function meets(term: V1PodAffinityTerm, owner: V1Pod, node: V1Node, other: Placed): boolean {
  const domain = labelOf(node, term.topologyKey);
  if (domain === undefined || domain !== labelOf(other.node, term.topologyKey)) return false;
  // Which labels a namespace has is not looked up: a selector of namespaces may mean any.
  const anywhere = term.namespaceSelector !== undefined && term.namespaceSelector !== null;
  const namespaces = term.namespaces?.length ? term.namespaces : [owner.metadata?.namespace ?? ""];
  return (
    (anywhere || namespaces.includes(other.pod.metadata?.namespace ?? "")) &&
    selects(term.labelSelector, other.pod)
  );
}

/** Whether with the pod on this node every hard spread constraint of its holds. */
function spreads(pod: V1Pod, node: V1Node, running: readonly Placed[], domains: readonly V1Node[]): boolean {
  return (pod.spec?.topologySpreadConstraints ?? [])
    .filter(({ whenUnsatisfiable }) => whenUnsatisfiable === "DoNotSchedule")
    .every(({ topologyKey, maxSkew, labelSelector, matchLabelKeys = [] }) => {
      const own = labelOf(node, topologyKey);
      if (own === undefined) return false;
      const labels = pod.metadata?.labels ?? {};
      const alike = running.filter(
        (other) =>
          other.pod.metadata?.namespace === pod.metadata?.namespace &&
          selects(labelSelector, other.pod) &&
          matchLabelKeys.every((key) => other.pod.metadata?.labels?.[key] === labels[key]),
      );
      const count = (domain: string) =>
        alike.filter((other) => labelOf(other.node, topologyKey) === domain).length;
      const counts = [...new Set(domains.flatMap((one) => labelOf(one, topologyKey) ?? []))].map(count);
      const self = selects(labelSelector, pod) ? 1 : 0;
      return count(own) + self - Math.min(...counts) <= maxSkew;
    });
}

/** Whether a selector selects the pod: an absent one selects nothing, an empty one everything. */
export function selects(selector: V1LabelSelector | undefined, { metadata }: V1Pod): boolean {
  if (!selector) return false;
  const labels = metadata?.labels ?? {};
  return (
    Object.entries(selector.matchLabels ?? {}).every(([key, value]) => labels[key] === value) &&
    (selector.matchExpressions ?? []).every((one) => matches(labels[one.key], one))
  );
}

/** Every node has its own name as its host name's label; the kubelet sets it. */
const labelOf = ({ metadata }: V1Node, key: string): string | undefined =>
  metadata?.labels?.[key] ?? (key === "kubernetes.io/hostname" ? metadata?.name : undefined);

/** Whether both want one port of the same address of the machine. */
function sharesPort(one: V1Pod, other: V1Pod): boolean {
  const anyAddress = (ip: string | undefined) => !ip || ip === "0.0.0.0";
  return portsOf(one).some((a) =>
    portsOf(other).some(
      (b) =>
        a.hostPort === b.hostPort &&
        (a.protocol ?? "TCP") === (b.protocol ?? "TCP") &&
        (anyAddress(a.hostIP) || anyAddress(b.hostIP) || a.hostIP === b.hostIP),
    ),
  );
}

const portsOf = ({ spec }: V1Pod) =>
  (spec?.containers ?? []).flatMap(({ ports = [] }) => ports.filter(({ hostPort }) => hostPort));
