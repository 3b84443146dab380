import type { ClusterNode } from "../../config";
import { type Finding, lookBack } from "../../observe";
import { type Look, look } from "../../observe/look";
import type { ProviderContext } from "../providerConfig";

/** Looks at an agent that the way back leaves out. @param begun this very way back is under way */
export async function askLeftOut(
  { settings, sshPrivateKey }: ProviderContext,
  node: ClusterNode,
  begun: boolean,
): Promise<Finding> {
  const { acceptedVersion, changeId } = settings;
  const answer = await look(() => lookBack(node, sshPrivateKey, acceptedVersion, changeId));
  return judgeLeftOut(node.name, answer, begun);
}

/**
 * It must be one that does not answer. One that answers again once the others are on their way back does not stop them.
 * Pure.
 */
export function judgeLeftOut(name: string, answer: Look<unknown>, begun: boolean): Finding {
  const after = `goBack {strategy: rollback, nodes: [${name}]}, or reinstall where it answers`;
  const asked = { check: `${name}: left out (goBack.without)`, wanted: "no answer" };
  if ("missing" in answer) {
    const next = `see that its machine is off and stays off; once the others are back mend it: ${after}`;
    return { ...asked, found: answer.missing, verdict: "warn", next };
  }
  const found = "it answers over SSH";
  return begun
    ? { ...asked, found, verdict: "warn", next: `once the others are back mend it: ${after}` }
    : { ...asked, found, verdict: "fail", next: `take ${name} out of goBack.without: it can go back` };
}
