import type { V1Node, V1PersistentVolume, V1Pod } from "@kubernetes/client-node";
import type { ClusterNode, Settings } from "../../config";
import type { ClusterFacts } from "../cluster";
import { isEvicted } from "../drain";
import { fullName, isMarked, nameOf } from "../facts";
import { type Finding, must } from "../finding";
import { admits, allocatable, place, requestsOf } from "../scheduling";

/**
 * Whether the other agents can take what each agent's drain moves (issue 4). Pods that can run nowhere else are left
 * out and named: they stay Pending until their node is back.
 */
export function judgeCapacity(
  settings: Settings,
  { nodes, pods, volumes }: ClusterFacts,
  { drained }: { drained: readonly ClusterNode[] },
): Finding[] {
  const agents = settings.agents.flatMap(({ name }) => nodes.find((node) => nameOf(node) === name) ?? []);
  return agents
    .filter((node) => drained.some(({ name }) => name === nameOf(node)) && !isMarked(settings, node))
    .map((node) => {
      const others = agents.filter((other) => other !== node && !other.spec?.unschedulable);
      const moving = pods.filter((pod) => pod.spec?.nodeName === nameOf(node) && isEvicted(pod));
      const pinned = moving.flatMap((pod) => {
        const why = pinnedBy(pod, others, volumes);
        return why ? [{ pod, why }] : [];
      });
      const movable = moving.filter((pod) => !pinned.some((one) => one.pod === pod));
      const left = place(movable, others, pods);
      const staying = pinned.map(({ pod, why }) => `${fullName(pod)} (${why})`).join(", ");
      return {
        check: `${nameOf(node)}: room for its pods on the other agents`,
        found: `${left.length ? `no place for ${left.map(fullName).join(", ")}` : `${movable.length} pods find a place`}${staying ? `; wait for it: ${staying}` : ""}`,
        wanted: "a place for all that can move",
        ...must(
          left.length === 0,
          `kubectl describe node ${others.map(nameOf).join(" ")} (Allocated resources); scale down or add an agent. §4.2 "Workloads fail to reschedule": check taints, tolerations, resources`,
        ),
      };
    });
}

/** Why a pod can run nowhere else: a volume that lies on its node, a device that no other agent has, its own wish. */
function pinnedBy(
  pod: V1Pod,
  others: readonly V1Node[],
  volumes: readonly V1PersistentVolume[],
): string | undefined {
  const claims = (pod.spec?.volumes ?? []).flatMap(
    ({ persistentVolumeClaim }) => persistentVolumeClaim?.claimName ?? [],
  );
  const local = volumes.find(
    ({ spec }) =>
      spec?.nodeAffinity &&
      spec.claimRef?.namespace === pod.metadata?.namespace &&
      claims.includes(spec.claimRef?.name ?? ""),
  );
  if (local && !others.some((node) => admits(node, onVolume(pod, local))))
    return `its volume ${nameOf(local)} lies there`;
  const willing = others.filter((node) => admits(node, pod));
  if (willing.length === 0) return "selects that node alone";
  const device = [...requestsOf(pod).keys()].find(
    (name) => name.includes("/") && willing.every((node) => !allocatable(node).get(name)),
  );
  return device && `no other agent has ${device}`;
}

/** The pod as if it asked itself for what its volume asks of a node. */
const onVolume = (pod: V1Pod, { spec }: V1PersistentVolume): V1Pod => ({
  spec: {
    containers: [],
    tolerations: pod.spec?.tolerations,
    affinity: {
      nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: spec?.nodeAffinity?.required },
    },
  },
});
