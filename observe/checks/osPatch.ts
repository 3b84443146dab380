import { patchedNodes, type Settings } from "../../config";
import type { Facts } from "../facts";
import type { Finding } from "../finding";
import type { OsFacts } from "../os";

/** How many packages are named; the rest is counted. A record holds what was really done (scripts/patch.sh). */
const NAMED = 20;

/** What would be upgraded of each node's OS, and whether a reboot is pending; nothing where the OS is left alone. */
export function judgeOsPatch(settings: Settings, { os }: Facts): Finding[] {
  if (!os) return [];
  return patchedNodes(settings).flatMap((node): Finding | [] => {
    const seen = os.get(node.name);
    // Past this part of its turn.
    if (!seen) return [];
    const question = {
      check: `${node.name}: OS packages (${settings.osPatch.packages})`,
      wanted: "known before: they are upgraded in its turn",
    };
    return "value" in seen
      ? { ...question, found: describe(settings, seen.value), verdict: "pass" }
      : {
          ...question,
          found: seen.missing,
          // Its turn asks anew and waits for another package manager: nothing to stop a run for.
          verdict: "warn",
          next: `ask it there: ssh -p ${node.port} ${node.user}@${node.address}`,
        };
  });
}

function describe({ osPatch }: Settings, { manager, upgrades, held, reboot }: OsFacts): string {
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
  return `${all}${kept}; ${reboot ? `a reboot is pending: ${reboot}${due}` : "no reboot is pending"}`;
}
