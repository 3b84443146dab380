import type { Settings } from "../../config";
import type { ClusterFacts } from "../cluster";
import { podsAtRisk } from "../drain";
import { fullName, isMarked, nameOf } from "../facts";
import { type Finding, must, should } from "../finding";

/** What the agents' drains would hurt, and what would hold them up. */
export function judgeDrains(settings: Settings, { nodes, pods, budgets }: ClusterFacts): Finding[] {
  const marked = new Set(nodes.filter((node) => isMarked(settings, node)).map(nameOf));
  const risks = settings.agents
    .filter(({ name }) => !marked.has(name))
    .flatMap((agent) => podsAtRisk(settings, agent, pods));
  const blocked = budgets
    .filter(({ status }) => (status?.expectedPods ?? 0) > 0 && status?.disruptionsAllowed === 0)
    .map(fullName);
  return [
    {
      check: "cluster: pods a drain would hurt",
      found: risks.join(", ") || "none without consent",
      wanted: "none without consent",
      ...must(risks.length === 0, "name them in consents (emptyDir, barePods, longGrace), or move them away"),
    },
    {
      check: "cluster: budgets that allow no disruption",
      found: blocked.join(", ") || "none",
      wanted: "none",
      ...should(blocked.length === 0, "the drain will wait for it and then stop: kubectl describe pdb"),
    },
  ];
}
