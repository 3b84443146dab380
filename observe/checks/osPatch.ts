import { type ClusterNode, isPatched, isRound, patchedNodes, type Settings } from "../../config";
import { type Facts, isAheadInRound, isPatchedIn, nameOf } from "../facts";
import type { Finding } from "../finding";
import type { NodeFacts } from "../node";
import type { OsFacts } from "../os";

/** How many packages are named; the rest is counted. A record holds what was really done (scripts/patch.sh). */
const NAMED = 20;

/** What would be upgraded of each node's OS, and whether a reboot is pending; nothing where the OS is left alone. */
export function judgeOsPatch(settings: Settings, { os, cluster }: Facts): Finding[] {
  if (!os) return [];
  return patchedNodes(settings).flatMap((node): Finding | Finding[] => {
    const seen = os.get(node.name);
    // Past this part of its turn.
    if (!seen) return [];
    const question = {
      check: `${node.name}: OS packages (${settings.osPatch.packages})`,
      wanted: "known before: they are upgraded in its turn",
    };
    return "value" in seen
      ? [
          { ...question, found: describe(settings, seen.value), verdict: "pass" },
          // In a round every node is asked, and one that is done is not rebooted any more.
          ...(!isRound(settings) || isAheadInRound(settings, cluster, node.name)
            ? judgeReboot(settings, node, seen.value)
            : []),
        ]
      : {
          ...question,
          found: seen.missing,
          // Its turn asks anew and waits for another package manager: nothing to stop a run for.
          verdict: "warn",
          next: `ask it there: ssh -p ${node.port} ${node.user}@${node.address}`,
        };
  });
}

/** What the node's reboot would stop at in its turn, drained as it is then (scripts/reboot.sh); nothing where it would not. */
function judgeReboot(
  { osPatch }: Settings,
  { name }: ClusterNode,
  { unknown, driverless }: OsFacts,
): Finding[] {
  const unanswered: Finding = {
    check: `${name}: whether a reboot is needed`,
    found: `not known: ${unknown}`,
    wanted: "an answer: with osPatch.reboot whenNeeded it is rebooted by that",
    verdict: "fail",
    momentary: true,
    next: "mend that there (where the command is not there: dnf install dnf-utils, with dnf5 dnf5-plugins), or pulumi config set --path 'rke2-upgrade:osPatch.reboot' always",
  };
  const withoutDriver: Finding = {
    check: `${name}: the kernel that a reboot boots has NVIDIA's driver`,
    found: `${driverless} is installed and has none; the running kernel has it`,
    wanted: "the driver for both: kernel and driver move together or not at all",
    verdict: "fail",
    next: `there: install the driver for it (dkms autoinstall -k ${driverless}, its package, or the .run's --kernel-name=${driverless}), or remove that kernel`,
  };
  return [
    ...(unknown && osPatch.reboot === "whenNeeded" ? [unanswered] : []),
    ...(driverless && osPatch.reboot !== "never" ? [withoutDriver] : []),
  ];
}

/**
 * In a round of OS patches: whether a node that the cluster calls done bears the round's traces. One whose VM was put back by
 * hand does not, and would be patched undrained: its turn's cordon and drain go by the cluster's word. Nothing where they agree.
 */
export function judgePatchedMark(
  settings: Settings,
  node: ClusterNode,
  { cluster }: Facts,
  { patchedUnder }: NodeFacts,
): Finding[] {
  const { changeId } = settings;
  if (!isRound(settings) || !isPatched(settings, node) || !("value" in cluster)) return [];
  const found = cluster.value.nodes.find((one) => nameOf(one) === node.name);
  if (!isPatchedIn(changeId, found) || patchedUnder.includes(changeId)) return [];
  return [
    {
      check: `${node.name}: patched in ${changeId} by its own word too`,
      found: "the cluster says so, its disk does not",
      wanted: "both, or neither",
      verdict: "fail",
      next: `where its VM was put back by hand: kubectl annotate node ${node.name} rke2-upgrade/patched- gives it its turn again`,
    },
  ];
}

function describe({ osPatch }: Settings, { manager, upgrades, held, reboot, unknown }: OsFacts): string {
  const named = upgrades
    .slice(0, NAMED)
    .map(({ name, from, to }) => `${name} ${from ? `${from} → ${to}` : to}`);
  const more = upgrades.length > NAMED ? `, and ${upgrades.length - NAMED} more` : "";
  const lists = `${manager}, by the lists that it has`;
  const all = upgrades.length
    ? `${upgrades.length} to upgrade (${lists}): ${named.join(", ")}${more}`
    : `none to upgrade (${lists})`;
  const kept = held.length
    ? `; held, since kernel and GPU driver move together or not at all: ${held.join(", ")}`
    : "";
  const due = osPatch.reboot === "never" ? "; it is not rebooted" : "";
  if (unknown) return `${all}${kept}; whether a reboot is pending is not known: ${unknown}`;
  return `${all}${kept}; ${reboot ? `a reboot is pending: ${reboot}${due}` : "no reboot is pending"}`;
}
