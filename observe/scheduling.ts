import type { V1Node, V1NodeSelectorRequirement, V1Pod } from "@kubernetes/client-node";

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
export function admits(node: V1Node, pod: V1Pod): boolean {
  const labels = node.metadata?.labels ?? {};
  const { nodeSelector, affinity, tolerations } = pod.spec ?? {};
  const selected = Object.entries(nodeSelector ?? {}).every(([key, value]) => labels[key] === value);
  const terms =
    affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? undefined;
  const near =
    terms?.some(
      ({ matchExpressions = [], matchFields = [] }) =>
        matchExpressions.every((one) => matches(labels[one.key], one)) &&
        matchFields.every((one) => matches(node.metadata?.name, one)),
    ) ?? true;
  const tolerated = (node.spec?.taints ?? [])
    .filter(({ effect }) => effect === "NoSchedule" || effect === "NoExecute")
    .every((taint) =>
      (tolerations ?? []).some(
        ({ key, operator, value, effect }) =>
          (!effect || effect === taint.effect) &&
          (operator === "Exists" ? !key || key === taint.key : key === taint.key && value === taint.value),
      ),
    );
  return selected && near && tolerated;
}

function matches(value: string | undefined, { operator, values = [] }: V1NodeSelectorRequirement): boolean {
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
 * Puts pods onto nodes, the largest first, each onto the first that has room: not what the scheduler does, but where
 * it finds a place for all, there is one.
 * @returns the pods for which there is none
 */
export function place(pods: readonly V1Pod[], onto: readonly V1Node[], all: readonly V1Pod[]): V1Pod[] {
  const rooms = onto.map((node) => {
    const free = allocatable(node);
    add(free, askedOn(node.metadata?.name ?? "", all), -1);
    return { node, free };
  });
  const size = (pod: V1Pod) => requestsOf(pod).get("memory") ?? 0;
  return pods
    .toSorted((a, b) => size(b) - size(a))
    .filter((pod) => {
      const wanted = requestsOf(pod);
      const room = rooms.find(
        ({ node, free }) =>
          admits(node, pod) && [...wanted].every(([name, amount]) => (free.get(name) ?? 0) >= amount),
      );
      if (room) add(room.free, wanted, -1);
      return room === undefined;
    });
}
