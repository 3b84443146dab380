import type { V1Pod } from "@kubernetes/client-node";
import type { Settings } from "../../config";
import type { ClusterFacts } from "../cluster";
import { fullName, isMarked, isUpgraded, nameOf } from "../facts";
import { type Finding, must, should } from "../finding";
import { selects } from "../neighbours";

/**
 * Whether budgets let the fellows of a wave be drained at once. A pod that waits for its own node is missing until that one
 * is back, and the eviction of its like on a fellow waits for it: with two budgets crosswise the drains would wait for each
 * other for good.
 * @param wave names of those that go together
 * @param waiting the pods on them that find no other place
 * @param turn whose turn it is judged for; undefined before a run
 */
export function judgeTogether(
  settings: Settings,
  { nodes, budgets }: Pick<ClusterFacts, "nodes" | "budgets">,
  { wave, waiting, turn }: { wave: readonly string[]; waiting: readonly V1Pod[]; turn?: string },
): Finding[] {
  if (wave.length < 2) return [];
  const fellows = nodes.filter((node) => wave.includes(nameOf(node)));
  // Who is upgraded is drained no more, and a pod that is on its way out is missing from its budget already.
  const drained = new Set(fellows.filter((node) => !isUpgraded(settings, node)).map(nameOf));
  const going = waiting.filter(
    ({ metadata, spec }) => drained.has(spec?.nodeName ?? "") && !metadata?.deletionTimestamp,
  );
  const short = budgets.flatMap(({ metadata, spec, status }) => {
    const guarded = going.filter(
      (pod) => pod.metadata?.namespace === metadata?.namespace && selects(spec?.selector, pod),
    );
    const allowed = status?.disruptionsAllowed ?? 0;
    const isShort = new Set(guarded.map((pod) => pod.spec?.nodeName)).size > 1 && guarded.length > allowed;
    return isShort
      ? [`${fullName({ metadata })} lets ${allowed} go, there are ${guarded.map(fullName).join(", ")}`]
      : [];
  });
  // One that is in its turn is mended by going on; who would join it is held by its own gate.
  const judge = turn === undefined && fellows.some((node) => isMarked(settings, node)) ? should : must;
  return [
    {
      check: `${wave.join(", ")}: budgets let them be drained at once`,
      found: short.join("; ") || "every one, of pods that wait for their node",
      wanted: "room in each for all of them: none is back before its node is",
      ...judge(
        short.length === 0,
        "lower agents.maxUnavailable, or give the budget room: the drains would wait for each other until their limit",
      ),
      // The pods of an agent that has just come back are not Ready for a moment.
      ...(short.length > 0 && { momentary: true as const }),
    },
  ];
}
