import type { Settings } from "../../config";
import type { ClusterFacts } from "../cluster";
import type { Finding } from "../finding";

/** Whether another change holds the cluster. Silent where none does. */
export function judgeLock(
  _: Settings,
  { lock }: ClusterFacts,
  { owner }: { owner: string | undefined },
): Finding[] {
  if (!lock || lock.holder.split(" ")[0] === owner) return [];
  return [
    {
      check: "cluster: held by no other change",
      found: `${lock.holder.split(" ").slice(1).join(" ")} since ${lock.since}`,
      wanted: "free, or held by this change",
      verdict: "fail",
      next: "finish or accept that change first; only if it is known to be dead: kubectl -n kube-system delete lease rke2-upgrade",
    },
  ];
}
