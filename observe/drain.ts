import type { V1Pod } from "@kubernetes/client-node";
import { type ClusterNode, isConsented, type Settings } from "../config";

/**
 * The pods on an agent that its drain would hurt and that no consent names: an emptyDir that is lost, a pod that no
 * controller brings back, a grace of its own that is cut short. Each with the consent it needs.
 */
export function podsAtRisk(settings: Settings, agent: ClusterNode, pods: readonly V1Pod[]): string[] {
  const { consents, drain } = settings;
  const limit = agent.gpu ? drain.gpuGraceSeconds : drain.graceSeconds;
  return pods
    .filter((pod) => pod.spec?.nodeName === agent.name && isEvicted(pod))
    .flatMap((pod) => {
      const name = `${pod.metadata?.namespace}/${pod.metadata?.name}`;
      const grace = pod.spec?.terminationGracePeriodSeconds ?? 0;
      const hurts = [
        {
          holds: pod.spec?.volumes?.some((volume) => volume.emptyDir),
          key: "emptyDir",
          why: "loses its emptyDir",
        },
        { holds: !controller(pod), key: "barePods", why: "no controller brings it back" },
        { holds: grace > limit, key: "longGrace", why: `wants ${grace} s to end, gets ${limit}` },
      ] as const;
      return hurts
        .filter(({ holds, key }) => holds && !isConsented(consents[key], name))
        .map(({ key, why }) => `${name} (${why}: consents.${key})`);
    });
}

const controller = (pod: V1Pod) => pod.metadata?.ownerReferences?.find((owner) => owner.controller)?.kind;

/** A drain leaves DaemonSets' pods, static pods (owned by their Node) and pods that have ended. */
export const isEvicted = (pod: V1Pod) =>
  !["DaemonSet", "Node"].includes(controller(pod) ?? "") &&
  !["Succeeded", "Failed"].includes(pod.status?.phase ?? "");
