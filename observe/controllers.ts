import type { V1DaemonSet, V1Deployment, V1ReplicaSet, V1StatefulSet } from "@kubernetes/client-node";
import { fullName } from "./facts";

/** What makes pods, by kind. */
export interface Controllers {
  readonly deployments: readonly V1Deployment[];
  readonly statefulSets: readonly V1StatefulSet[];
  readonly daemonSets: readonly V1DaemonSet[];
  /** Without those of Deployments. */
  readonly replicaSets: readonly V1ReplicaSet[];
}

/** One that gets no new pods: none of the missing ones is there to be judged. */
export interface Lacking {
  /** namespace/name */
  readonly name: string;
  /** As kubectl takes it: `deployment` … */
  readonly kind: string;
  readonly why: string;
}

/**
 * The controllers that get no new pods: a webhook that is away, a quota, a template that is refused. What only waits is not
 * meant: a StatefulSet for its last pod, a Recreate for the old ones (scripts/lib-watch.sh asks the same). Pure.
 */
export function lackingPods({
  deployments,
  statefulSets,
  daemonSets,
  replicaSets,
}: Controllers): readonly Lacking[] {
  return [
    ...deployments.flatMap((one) => refused("deployment", one)),
    ...replicaSets.flatMap((one) => refused("replicaset", one)),
    ...statefulSets.flatMap((one) => {
      const { replicas = 0, availableReplicas = 0 } = one.status ?? {};
      const wanted = one.spec?.replicas ?? 1;
      const short = wanted > replicas && availableReplicas === replicas;
      return short ? [lacking("statefulset", one, `${replicas} of ${wanted} pods`)] : [];
    }),
    ...daemonSets.flatMap((one) => {
      const { currentNumberScheduled: there = 0, desiredNumberScheduled: wanted = 0 } = one.status ?? {};
      return wanted > there ? [lacking("daemonset", one, `pods on ${there} of ${wanted} nodes`)] : [];
    }),
  ];
}

const lacking = (kind: string, one: Parameters<typeof fullName>[0], why: string): Lacking => ({
  kind,
  name: fullName(one),
  why,
});

function refused(kind: string, one: V1Deployment | V1ReplicaSet): readonly Lacking[] {
  const failure = one.status?.conditions?.find(({ type }) => type === "ReplicaFailure");
  return failure?.status === "True"
    ? [lacking(kind, one, failure.message ?? failure.reason ?? "refused")]
    : [];
}
