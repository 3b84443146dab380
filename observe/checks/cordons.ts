import { isRound, type Settings } from "../../config";
import type { ClusterFacts } from "../cluster";
import { isUpgraded, nameOf } from "../facts";
import { type Finding, must } from "../finding";

/** Annotation on a node whose cordon is ours: the change's ID (scripts/lib-cluster.sh). */
const CORDONED = "rke2-upgrade/cordoned";

/** Cordons that are not ours, and ours that somebody took off too early. */
export function judgeCordons(settings: Settings, { nodes }: ClusterFacts): Finding[] {
  const { changeId } = settings;
  const isOurs = (node: ClusterFacts["nodes"][number]) => node.metadata?.annotations?.[CORDONED] === changeId;
  const foreign = nodes.filter((node) => node.spec?.unschedulable && !isOurs(node)).map(nameOf);
  const uncordoned = nodes
    .filter((node) => isOurs(node) && !node.spec?.unschedulable && !isUpgraded(settings, node))
    .map(nameOf);
  const findings: Finding[] = [
    {
      check: "cluster: cordons",
      found: foreign.length ? `by somebody else: ${foreign.join(", ")}` : "none but ours",
      wanted: "none but ours",
      ...must(foreign.length === 0, `find out why; then kubectl uncordon ${foreign[0]}`),
    },
  ];
  if (uncordoned.length > 0) {
    findings.push({
      check: "cluster: nodes in their turn are cordoned",
      found: `uncordoned by somebody: ${uncordoned.join(", ")}`,
      wanted: isRound(settings)
        ? "cordoned until they are patched"
        : "cordoned until they run the new version",
      verdict: "fail",
      next: `kubectl drain ${uncordoned[0]} --ignore-daemonsets: its own drain may have run already, and pods may have come back`,
    });
  }
  return findings;
}
