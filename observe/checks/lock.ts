import type { Settings } from "../../config";
import type { ClusterFacts } from "../cluster";
import { type Finding, must } from "../finding";

/** Whether another change holds the cluster. */
export function judgeLock(
  _: Settings,
  { lock }: ClusterFacts,
  { owner }: { owner: string | undefined },
): Finding[] {
  const [holder, ...who] = lock?.holder.split(" ") ?? [];
  return [
    {
      check: "cluster: held by no other change",
      found: lock ? `${who.join(" ")} since ${lock.since}` : "free",
      wanted: "free, or held by this change",
      ...must(
        !lock || holder === owner,
        "finish or accept that change first; only if it is known to be dead: kubectl -n kube-system delete lease rke2-upgrade",
      ),
    },
  ];
}
