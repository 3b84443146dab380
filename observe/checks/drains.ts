import type { ClusterNode, Settings } from "../../config";
import type { ClusterFacts } from "../cluster";
import { podsAtRisk } from "../drain";
import { fullName, isMarked, nameOf } from "../facts";
import { type Finding, must, should } from "../finding";
import { ROWS } from "../rows";

/** What the agents' drains would hurt, and what would hold them up. */
export function judgeDrains(
  settings: Settings,
  { nodes, pods, budgets, refusedEvictions }: ClusterFacts,
  { drained }: { drained: readonly ClusterNode[] },
): Finding[] {
  // While a node is in its turn its pods may have no other place: going on is what mends it.
  const holds = nodes.some((node) => isMarked(settings, node)) ? should : must;
  const marked = new Set(nodes.filter((node) => isMarked(settings, node)).map(nameOf));
  const risks = drained
    .filter(({ name }) => !marked.has(name))
    .flatMap((agent) => podsAtRisk(settings, agent, pods));
  const violated = budgets
    .filter(({ status }) => (status?.currentHealthy ?? 0) < (status?.desiredHealthy ?? 0))
    .map(
      (budget) =>
        `${fullName(budget)} (${budget.status?.currentHealthy} of ${budget.status?.desiredHealthy})`,
    );
  const refused = drained
    .filter(({ name }) => !marked.has(name))
    .map(({ name }) => {
      const on = new Set(pods.filter((pod) => pod.spec?.nodeName === name).map(fullName));
      return { name, evictions: refusedEvictions.filter(({ pod }) => on.has(pod)) };
    });
  return [
    {
      check: "cluster: pods a drain would hurt",
      found: risks.join(", ") || "none without consent",
      wanted: "none without consent",
      ...must(risks.length === 0, "name them in consents (emptyDir, barePods, longGrace), or move them away"),
    },
    {
      check: "cluster: budgets met",
      found: violated.join(", ") || `all ${budgets.length}`,
      wanted: "all: every one has the pods that it demands",
      ...holds(
        violated.length === 0,
        `kubectl describe pdb -A; kubectl get pods -A -o wide: why are they not Ready? ${ROWS.reschedule}`,
      ),
    },
    ...refused.map(({ name, evictions }) => ({
      check: `${name}: budgets let it be drained`,
      found:
        evictions.map(({ pod, reason }) => `${pod}: ${reason}`).join("; ") ||
        "every eviction allowed (dry run)",
      wanted: "no eviction refused",
      ...holds(
        evictions.length === 0,
        `give the budget room (more replicas or Ready pods: kubectl describe pdb); the drain would wait for it and then stop. ${ROWS.reschedule}`,
      ),
    })),
  ];
}
