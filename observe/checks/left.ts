import { type ClusterNode, isChanging, type Settings } from "../../config";
import type { Finding } from "../finding";
import type { NodeFacts } from "../node";

/**
 * What was changed by hand since a run of the program last left the node: another version, or a file of RKE2's config.
 * A change that is under way would build on it unasked, so it is taken on by name, with the fingerprint that it has now:
 * what is changed once more is asked once more. In a node's own turn somebody is mending it: that is told.
 */
export function judgeLeft(
  settings: Settings,
  { name }: ClusterNode,
  { left, versionOnDisk }: NodeFacts,
  turn: boolean,
): Finding {
  const { acknowledge } = settings;
  const check = `${name}: as the last run left it`;
  const wanted = left.at ? `version and config files of ${left.at}` : "version and config files";
  if (!left.at) return { check, found: "no run has left it yet", wanted, verdict: "pass" };
  const moved = left.version !== versionOnDisk && versionOnDisk !== "" ? [`runs ${versionOnDisk}`] : [];
  const changes = [...moved, ...left.changes];
  const open = changes.filter((change) => !acknowledge.includes(`${name} ${change}`));
  if (open.length === 0) {
    return {
      check,
      found: changes.map((one) => `${one} (acknowledged)`).join(", ") || "unchanged",
      wanted,
      verdict: "pass",
    };
  }
  const found = [...(moved.length > 0 ? [`left on ${left.version}`] : []), ...changes].join(", ");
  return {
    check,
    found: `changed by hand: ${found}`,
    wanted,
    // Settled, nothing is installed: told, for whoever plans the next change.
    verdict: turn || !isChanging(settings) ? "warn" : "fail",
    next: `find out who and why (a kept copy: /var/lib/rke2-upgrade/backup on it); put it back, or take it on: add ${open.map((change) => `"${name} ${change}"`).join(" and ")} to the list rke2-upgrade:acknowledge`,
  };
}
