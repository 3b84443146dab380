import type { V1Pod } from "@kubernetes/client-node";
import { isConsented, type Settings } from "../../config";
import type { ClusterFacts } from "../cluster";
import { lackingPods } from "../controllers";
import { crashOf } from "../crashing";
import { fullName, isMarked, nameOf } from "../facts";
import { type Finding, must, should } from "../finding";

/**
 * Pods that are stuck, or missing (procedure §3.2, §4.1). Those of a node in its turn, those that wait for a place meanwhile, which may be
 * there alone, and those that the operator knows of, are not.
 */
export function judgeWorkloads(settings: Settings, seen: ClusterFacts): Finding[] {
  const turning = new Set(seen.nodes.filter((node) => isMarked(settings, node)).map(nameOf));
  const pods = seen.pods.filter(
    (pod) =>
      !turning.has(pod.spec?.nodeName ?? "") &&
      (pod.spec?.nodeName !== undefined || turning.size === 0) &&
      !isConsented(settings.consents.sickPods, fullName(pod)) &&
      !isChartPod(pod),
  );
  const stuck = pods.flatMap((pod) => {
    const why = stuckBy(pod, seen.at, settings.limits.podsSeconds);
    return why ? [`${fullName(pod)} (${why})`] : [];
  });
  const failed = pods.filter(({ status }) => status?.phase === "Failed").map(fullName);
  const lacking = lackingPods(seen.controllers).filter(
    ({ name }) => !isConsented(settings.consents.sickPods, name),
  );
  const described = lacking[0]?.name.split("/") ?? [];
  // A node in its turn may be the only place of the webhook that is missing: going on is what mends it.
  const judge = turning.size > 0 ? should : must;
  const first = stuck[0]?.split(" ")[0]?.split("/") ?? [];
  return [
    {
      check: "cluster: pods stuck",
      found: stuck.join(", ") || `none of ${seen.pods.length}`,
      wanted: "none Terminating, Pending or failing to start",
      ...must(
        stuck.length === 0,
        `kubectl -n ${first[0]} describe pod ${first[1]}; mend or delete it, or name it in consents.sickPods. §4.2 "Workloads fail to reschedule": check taints, tolerations, resources`,
      ),
    },
    {
      check: "cluster: pods can be made",
      found:
        lacking.map(({ name, kind, why }) => `${kind} ${name} (${why})`).join(", ") || "for every controller",
      wanted: "for every controller: a drain would leave more of them without",
      ...judge(
        lacking.length === 0,
        `kubectl -n ${described[0]} describe ${lacking[0]?.kind} ${described[1]} (Events: FailedCreate: a webhook, a quota, a refused template); mend or delete it, or name it in consents.sickPods`,
      ),
      ...(lacking.length > 0 && { momentary: true as const }),
    },
    {
      check: "cluster: pods that have failed",
      found: failed.join(", ") || "none",
      wanted: "none: the validation at the end stops for them",
      ...should(failed.length === 0, "kubectl delete pod them, or name them in consents.sickPods"),
    },
  ];
}

/** RKE2's own charts have a check of their own. */
export const isChartPod = ({ metadata }: V1Pod): boolean =>
  metadata?.namespace === "kube-system" && metadata.name?.startsWith("helm-install-") === true;

function stuckBy(pod: V1Pod, now: Date, limitSeconds: number): string | undefined {
  const { metadata, status } = pod;
  const since = (time: Date | undefined) => (time ? now.getTime() - new Date(time).getTime() : 0);
  const seconds = (ms: number) => `${Math.round(ms / 1000)} s`;
  if (metadata?.deletionTimestamp) {
    // A deletion's time includes the pod's grace: what is there long after hangs, by a finalizer or a lost kubelet.
    const over = since(metadata.deletionTimestamp);
    return over > limitSeconds * 1000 ? `Terminating, ${seconds(over)} past its time` : undefined;
  }
  const crash = crashOf(pod, { at: now, seconds: limitSeconds });
  if (crash) return crash;
  const age = since(metadata?.creationTimestamp);
  return status?.phase === "Pending" && age > limitSeconds * 1000 ? `Pending for ${seconds(age)}` : undefined;
}
