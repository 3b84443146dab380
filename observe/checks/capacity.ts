import type { V1Node, V1PersistentVolume, V1Pod } from "@kubernetes/client-node";
import { type ClusterNode, type Settings, wavesOf } from "../../config";
import type { ClusterFacts } from "../cluster";
import { isEvicted } from "../drain";
import { fullName, isMarked, nameOf } from "../facts";
import { type Finding, must } from "../finding";
import { admits, allocatable, place, requestsOf } from "../scheduling";
import { judgeTogether } from "./together";

/**
 * Whether the other nodes can take what an agent's drain moves, servers too where no taint keeps pods off: of a whole
 * wave at once, where several go together. Pods that can run nowhere else are left out and named: they stay Pending
 * until their node is back, and a wave's budgets must let all of them go.
 */
export function judgeCapacity(
  settings: Settings,
  { nodes, pods, volumes, budgets }: ClusterFacts,
  { drained, turn }: { drained: readonly ClusterNode[]; turn?: string },
): Finding[] {
  const found = (names: readonly ClusterNode[]) =>
    names.flatMap(({ name }) => nodes.find((node) => nameOf(node) === name) ?? []);
  const open = found(settings.nodes).filter((other) => !other.spec?.unschedulable);
  const ahead = found(drained).filter((node) => !isMarked(settings, node));
  return wavesOf(settings)
    .map(({ nodes }) => found(nodes))
    .filter((wave) => wave.some((node) => ahead.includes(node)))
    .flatMap((wave) => {
      const others = open.filter((other) => !wave.includes(other));
      const names = wave.map(nameOf);
      const moving = pods.filter((pod) => names.includes(pod.spec?.nodeName ?? "") && isEvicted(pod));
      const pinned = moving.flatMap((pod) => {
        // What could run on a fellow is not pinned: it has no place because the fellow goes too.
        const elsewhere = open.filter((other) => nameOf(other) !== pod.spec?.nodeName);
        const why = pinnedBy(pod, elsewhere, volumes);
        return why ? [{ pod, why }] : [];
      });
      const movable = moving.filter((pod) => !pinned.some((one) => one.pod === pod));
      const stay = (gone: readonly V1Pod[]) => ({ nodes, pods: pods.filter((pod) => !gone.includes(pod)) });
      const placed = place(movable, others, stay(moving));
      // What others would keep off only since its fellows' pods go too has no place, as above.
      const waiting = placed.heldOff.filter(({ pod }) => {
        if (wave.length === 1) return true;
        const own = (one: V1Pod) => one.spec?.nodeName === pod.spec?.nodeName;
        const elsewhere = open.filter((other) => nameOf(other) !== pod.spec?.nodeName);
        const alone = place(movable.filter(own), elsewhere, stay(moving.filter(own)));
        return alone.heldOff.some((one) => one.pod === pod);
      });
      const homeless = [
        ...placed.homeless,
        ...placed.heldOff.filter((one) => !waiting.includes(one)).map(({ pod }) => pod),
      ];
      const stuck = [...pinned, ...waiting];
      const staying = stuck.map(({ pod, why }) => `${fullName(pod)} (${why})`).join(", ");
      const narrow = wave.length > 1 ? ", or lower agents.maxUnavailable" : "";
      const room: Finding = {
        check: `${names.join(", ")}: room for ${wave.length > 1 ? "their" : "its"} pods on the other nodes`,
        found: `${homeless.length ? `no place for ${homeless.map(fullName).join(", ")}` : `${movable.length - waiting.length} pods find a place`}${staying ? `; wait for it: ${staying}` : ""}`,
        wanted: "a place for all that can move",
        ...must(
          homeless.length === 0,
          `kubectl describe node ${others.map(nameOf).join(" ")} (Allocated resources); scale down or add an agent${narrow}. §4.2 "Workloads fail to reschedule": check taints, tolerations, resources`,
        ),
      };
      const waits = { wave: names, waiting: stuck.map(({ pod }) => pod), turn };
      return [room, ...judgeTogether(settings, { nodes, budgets }, waits)];
    });
}

/** Why a pod can run nowhere else: a volume that lies on its node, a device that no other node has, its own wish, taints. */
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
  if (willing.length === 0) return "no other open node admits it";
  const device = [...requestsOf(pod).keys()].find(
    (name) => name.includes("/") && willing.every((node) => !allocatable(node).get(name)),
  );
  return device && `no other node has ${device}`;
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
