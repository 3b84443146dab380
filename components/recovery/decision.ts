import { setTimeout as pause } from "node:timers/promises";
import { describeWaysBack, isChanging, type Settings } from "../../config";
import { describeCriteria, judgeCriteria, lookAtNode, OF_CRITERIA } from "../../observe";
import { atMost } from "../../observe/atMost";
import { lookAtCluster } from "../../observe/cluster";
import { look } from "../../observe/look";
import { changeOfObjects } from "../keptCensus";
import { type SickFacts, situationOf } from "./situation";

/** A failure is told after this long, whoever has not answered: nodes that are away take their looks' whole bounds. */
const PATIENCE_MS = 60_000;

/** The decision of procedure §4.3 in lines: whether its criteria are met, and which way back fits. Never throws. */
export async function describeDecision(
  settings: Settings,
  facts: SickFacts,
  sshPrivateKey: string,
): Promise<string[]> {
  const [situation, objects] = await Promise.all([
    situationOf(settings, facts, sshPrivateKey),
    changeOfObjects(settings, sshPrivateKey),
  ]);
  return [
    ...describeCriteria(judgeCriteria(settings, facts, { ...situation, objects })),
    ...describeWaysBack(settings, situation),
  ];
}

/** Whether the text holds the decision, as a gate's refusal does. */
export const tellsDecision = (text: string): boolean => text.includes(`${OF_CRITERIA}:`);

/**
 * The same after a step that failed, where nobody has looked; it needs SSH alone. Empty where no change goes forward: a way
 * back is run to its end. Bounded; never throws.
 */
export async function decideAnew(
  settings: Settings,
  sshPrivateKey: () => Promise<string>,
  patienceMs = PATIENCE_MS,
): Promise<string[]> {
  if (settings.goBack || !isChanging(settings)) return [];
  const ended = new AbortController();
  const { signal } = ended;
  const decision = await look(() =>
    Promise.race([
      sshPrivateKey().then((key) => lookAndDescribe(settings, key)),
      pause(patienceMs, undefined, { signal }).then(() => {
        throw new Error(`the nodes did not answer within ${patienceMs / 1000} s`);
      }),
    ]),
  );
  ended.abort();
  return "value" in decision
    ? decision.value
    : [`${OF_CRITERIA}: not judged: ${decision.missing}. next: pulumi preview judges them`];
}

async function lookAndDescribe(settings: Settings, sshPrivateKey: string): Promise<string[]> {
  const { servers, criticalWorkloads: critical } = settings;
  const [nodes, cluster] = await Promise.all([
    atMost(
      8,
      settings.nodes,
      async (node) => [node.name, await look(() => lookAtNode(node, sshPrivateKey))] as const,
    ),
    look(() => lookAtCluster({ servers, drained: [], critical }, sshPrivateKey)),
  ]);
  return describeDecision(settings, { nodes: new Map(nodes), cluster }, sshPrivateKey);
}
