import type { V1Node, V1Pod } from "@kubernetes/client-node";
import { heldOff, matches, type Placed } from "./neighbours";

/** Amounts by resource: cpu in processors, memory in bytes, pods, nvidia.com/gpu … */
export type Amounts = ReadonlyMap<string, number>;

const UNITS: Readonly<Record<string, number>> = {
  ...{ n: 1e-9, u: 1e-6, m: 1e-3, "": 1, k: 1e3, M: 1e6, G: 1e9, T: 1e12, P: 1e15, E: 1e18 },
  ...{ Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40, Pi: 2 ** 50, Ei: 2 ** 60 },
};

/** A Kubernetes quantity as a number: `250m` is 0.25, `1Gi` is 2^30. @throws on what is none */
export function quantity(text: string): number {
  const [, number, suffix = ""] = /^([+-]?[0-9.]+(?:[eE][+-]?\d+)?)([A-Za-z]*)$/.exec(text) ?? [];
  const unit = UNITS[suffix];
  if (number === undefined || unit === undefined) throw new Error(`no quantity: ${text}`);
  return Number(number) * unit;
}

const amounts = (list: { [key: string]: string } | undefined): Map<string, number> =>
  new Map(Object.entries(list ?? {}).map(([name, text]) => [name, quantity(text)]));

function add(to: Map<string, number>, what: Amounts, sign: 1 | -1 = 1): void {
  for (const [name, amount] of what) to.set(name, (to.get(name) ?? 0) + sign * amount);
}

/** What the scheduler counts for a pod: its containers together, or its largest init container where that is more. */
export function requestsOf(pod: V1Pod): Map<string, number> {
  const sum = new Map<string, number>();
  for (const { resources } of pod.spec?.containers ?? []) add(sum, amounts(resources?.requests));
  for (const container of pod.spec?.initContainers ?? []) {
    const asked = amounts(container.resources?.requests);
    // A sidecar stays; any other init container is over before the next begins.
    if (container.restartPolicy === "Always") add(sum, asked);
    else for (const [name, amount] of asked) sum.set(name, Math.max(sum.get(name) ?? 0, amount));
  }
  add(sum, amounts(pod.spec?.overhead));
  return sum.set("pods", 1);
}

const isOver = ({ status }: V1Pod) => ["Succeeded", "Failed"].includes(status?.phase ?? "");

/** What a node's pods ask for together. */
export function askedOn(node: string, pods: readonly V1Pod[]): Map<string, number> {
  const sum = new Map<string, number>();
  for (const pod of pods) if (pod.spec?.nodeName === node && !isOver(pod)) add(sum, requestsOf(pod));
  return sum;
}

/** What a node offers to pods. */
export const allocatable = (node: V1Node): Map<string, number> => amounts(node.status?.allocatable);

/** Whether the pod may run there at all, whatever is free: its selector, its required affinity, the node's taints. */
export const admits = (node: V1Node, pod: V1Pod): boolean =>
  selected(node, pod) &&
  (node.spec?.taints ?? [])
    .filter(({ effect }) => effect === "NoSchedule" || effect === "NoExecute")
    .every((taint) =>
      (pod.spec?.tolerations ?? []).some(
        ({ key, operator, value, effect }) =>
          (!effect || effect === taint.effect) &&
          (operator === "Exists" ? !key || key === taint.key : key === taint.key && value === taint.value),
      ),
    );

/** Whether the pod itself asks for such a node: by its selector and its required affinity. */
function selected(node: V1Node, { spec }: V1Pod): boolean {
  const labels = node.metadata?.labels ?? {};
  const terms =
    spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ??
    undefined;
  return (
    Object.entries(spec?.nodeSelector ?? {}).every(([key, value]) => labels[key] === value) &&
    (terms?.some(
      ({ matchExpressions = [], matchFields = [] }) =>
        matchExpressions.every((one) => matches(labels[one.key], one)) &&
        matchFields.every((one) => matches(node.metadata?.name, one)),
    ) ??
      true)
  );
}

/** What becomes of pods that are to be placed. */
export interface Placement {
  /** Those for which there is no room. */
  readonly homeless: readonly V1Pod[];
  /** Those for which there is room, but other pods keep them off it, and by what rule. */
  readonly heldOff: readonly { readonly pod: V1Pod; readonly why: string }[];
}

/**
 * Puts pods onto nodes, the largest first, each onto the first that has room and where nobody keeps it off: not what the
 * scheduler does, but where it finds a place for all, there is one.
 * @param all the nodes of the cluster, and the pods on them that stay
 */
export function place(
  pods: readonly V1Pod[],
  onto: readonly V1Node[],
  all: { readonly nodes: readonly V1Node[]; readonly pods: readonly V1Pod[] },
): Placement {
  const rooms = onto.map((node) => {
    const free = allocatable(node);
    add(free, askedOn(node.metadata?.name ?? "", all.pods), -1);
    return { node, free };
  });
  const running: Placed[] = all.pods.flatMap((pod) => {
    const node = all.nodes.find(({ metadata }) => metadata?.name === pod.spec?.nodeName);
    return node && !isOver(pod) ? [{ pod, node }] : [];
  });
  const homeless: V1Pod[] = [];
  const kept: { pod: V1Pod; why: string }[] = [];
  const size = (pod: V1Pod) => requestsOf(pod).get("memory") ?? 0;
  for (const pod of pods.toSorted((a, b) => size(b) - size(a))) {
    const wanted = requestsOf(pod);
    const wide = rooms.filter(
      ({ node, free }) =>
        admits(node, pod) && [...wanted].every(([name, amount]) => (free.get(name) ?? 0) >= amount),
    );
    const domains = all.nodes.filter((node) => selected(node, pod));
    const reasons = new Set<string>();
    const room = wide.find(({ node }) => {
      const why = heldOff(pod, node, running, domains);
      if (why) reasons.add(why);
      return !why;
    });
    if (room) {
      add(room.free, wanted, -1);
      running.push({ pod, node: room.node });
    } else if (wide.length === 0) homeless.push(pod);
    else kept.push({ pod, why: [...reasons].join(", ") });
  }
  return { homeless, heldOff: kept };
}
