/** The rules of a round of OS patches, which is a change of its own (docs/osPatch.md). Pure. */
import type { Mistake } from "./mistakes";
import { giveUpRound } from "./osPatch";
import type { Draft } from "./rules";

/** A round of OS patches: what it is told apart by, and that there is something to do in it. */
export function judgeRound(draft: Draft): Mistake[] {
  const { osPatch, changeId, rke2Version, acceptedVersion, nodes = [] } = draft;
  const { round, acceptedRound, packages, servers } = osPatch ?? {};
  if (round === undefined || round === acceptedRound) return [];
  const path = "osPatch.round";
  const mistakes: Mistake[] = [];
  if (rke2Version && acceptedVersion && rke2Version !== acceptedVersion) {
    return [
      {
        path,
        found: `"${round}", with ${acceptedVersion} → ${rke2Version} under way`,
        allowed: "osPatch.acceptedRound, or nothing, while a version is under way",
        why: "a version bump patches every node in its turn anyway; one change has one way back",
        next: giveUpRound({ acceptedRound }),
      },
    ];
  }
  if (changeId !== undefined && changeId !== round) {
    mistakes.push({
      path,
      found: `"${round}", not accepted`,
      allowed: `this change's ID, "${changeId}", or what osPatch.acceptedRound has`,
      why: "it begins one change, named by its ID: what was patched in it is known by that",
      next: `pulumi config set rke2-upgrade:changeId ${round}; where ${round} is done and looked at: pulumi config set --path 'rke2-upgrade:osPatch.acceptedRound' ${round}`,
    });
  }
  if (packages === "none") {
    mistakes.push({
      path: "osPatch.packages",
      found: '"none", with a round of patches under way',
      allowed: '"security" or "full"',
      example: "security",
      why: "osPatch.round asks for patches",
    });
  }
  if (servers === false && nodes.length > 0 && nodes.every((node) => node?.role === "server")) {
    mistakes.push({
      path,
      found: `"${round}", with servers alone and osPatch.servers false`,
      allowed: "a round in which some node is patched",
      why: "no node would have a turn",
      next: "pulumi config set --path 'rke2-upgrade:osPatch.servers' true",
    });
  }
  return mistakes;
}
