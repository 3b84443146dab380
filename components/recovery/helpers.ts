import { type ClusterNode, isWholeCluster, nodesGoingBack, type Settings } from "../../config";
import { type Finding, withNode } from "../../observe";
import { look } from "../../observe/look";
import type { ProviderContext } from "../providerConfig";
import { helperFor } from "../turns";

/**
 * The servers that are asked about the cluster while single nodes are mended, but for those that are mended before the
 * nodes that need them. Where the whole cluster goes back every server is asked anyway. Pure.
 */
export function helpersOf(settings: Settings): ClusterNode[] {
  const { goBack } = settings;
  if (!goBack || isWholeCluster(goBack)) return [];
  const nodes = nodesGoingBack(settings);
  const needed = nodes.flatMap((node, i) => {
    const helper = helperFor(settings, node);
    return nodes.slice(0, i + 1).includes(helper) ? [] : [helper];
  });
  return [...new Set(needed)];
}

/** Whether they answer: without them the first step would fail at the dial. */
export async function askHelpers({ settings, sshPrivateKey }: ProviderContext): Promise<Finding[]> {
  return Promise.all(
    helpersOf(settings).map(async (helper): Promise<Finding> => {
      const { name, address, port, user } = helper;
      const asked = {
        check: `${name}: answers over SSH, to help`,
        wanted: "an answer: it is asked about the cluster while others are mended",
      };
      const answer = await look(() => withNode(helper, sshPrivateKey, (session) => session.exec("true")));
      if ("value" in answer) return { ...asked, found: "it answers", verdict: "pass" };
      const next = `ssh -p ${port} ${user}@${address}; where its machine is lost mend it first: goBack {strategy: rollback, nodes: [${name}]}, or where that is refused all: goBack.strategy rollback, without nodes`;
      return { ...asked, found: answer.missing, verdict: "not measured", next };
    }),
  );
}
