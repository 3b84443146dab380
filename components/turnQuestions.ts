import { type ClusterNode, isPatched, isRound, type Settings } from "../config";
import { type Facts, inTurn, judgeTurn, lookAtNode, observeTurn } from "../observe";
import { lookAtCluster } from "../observe/cluster";
import { measured } from "../observe/cost";
import { isMarked, isPatchedIn, nameOf } from "../observe/facts";
import { keepBackedUp } from "./backupTimer";
import { newestBackup } from "./etcdBackups";
import { type GateAnswer, gateAnswer } from "./gateAnswer";
import { judgeTimingOfTurn } from "./judgement";
import { measuredBefore } from "./measuredBefore";
import { providerContext } from "./providerConfig";
import { describeDecision } from "./recovery/decision";
import { refusal, stops } from "./refusal";
import { judgeSteadily } from "./steadyLook";
import { isPatchedUnder, touched } from "./touched";
import { judgeWayBackAge } from "./wayBackAge";
import { keepWayBack } from "./wayBackKeeper";

/** What a turn's question needs to know of the change. */
export interface TurnInputs {
  readonly node: string;
  readonly wanted: string;
  readonly accepted: string;
  readonly changeId: string;
  readonly attempt: number;
  readonly owner: string;
}

let looked: Promise<ReadonlySet<string>> | undefined;

/** The nodes whose turn is over: asked once in a run for all gates, since none of them goes back by itself. */
export function finished(): Promise<ReadonlySet<string>> {
  looked ??= lookForFinished();
  return looked;
}

/** Nobody answers: then every gate asks, and says so. */
const lookForFinished = (): Promise<ReadonlySet<string>> => finishedNow().catch(() => new Set<string>());

/** The same, asked now. @throws where no server answers */
export async function finishedNow(): Promise<ReadonlySet<string>> {
  const { settings, sshPrivateKey } = providerContext();
  const { nodes } = await lookAtCluster({ servers: settings.servers, drained: [] }, sshPrivateKey);
  const over = nodes.filter(
    (node) => node.status?.nodeInfo?.kubeletVersion === settings.rke2Version && !isMarked(settings, node),
  );
  const names = new Set(over.map(nameOf));
  if (!isRound(settings)) return names;
  const patched = await patchedIn(settings.changeId);
  return new Set(
    settings.nodes
      .filter((node) => names.has(node.name) && (!isPatched(settings, node) || patched.has(node.name)))
      .map(({ name }) => name),
  );
}

/**
 * The nodes that a round of OS patches is done with, asked now: by the cluster's word and by their own disk's, since a VM that
 * was put back by hand is as it was before. @throws where no server answers
 */
export async function patchedIn(round: string): Promise<ReadonlySet<string>> {
  const { settings, sshPrivateKey } = providerContext();
  const { nodes } = await lookAtCluster({ servers: settings.servers, drained: [] }, sshPrivateKey);
  const marked = new Set(
    nodes.filter((node) => isPatchedIn(round, node) && !isMarked(settings, node)).map(nameOf),
  );
  const own = await Promise.all(
    settings.nodes
      .filter(({ name }) => marked.has(name))
      .map((node) =>
        lookAtNode(node, sshPrivateKey).then(
          (seen) => (isPatchedUnder(round, seen) ? [node.name] : []),
          () => [],
        ),
      ),
  );
  return new Set(own.flat());
}

/** Asks afresh what may have perished before a node's turn, and renews its way back. @throws with what does not hold */
export async function askBeforeTurn({ node: name, accepted, owner }: TurnInputs): Promise<GateAnswer> {
  const context = providerContext();
  const { settings } = context;
  const node = settings.nodes.find((one) => one.name === name);
  if (!node)
    throw new Error(`${name} is not in nodes. next: put it back; nodes leave the list after acceptance`);
  const newest = await newestBackup(settings, accepted);
  const { result, cost } = await measured(() =>
    judgeSteadily(
      () => observeTurn(settings, node, context),
      (facts) => [
        ...judgeTurn(settings, node, facts, owner),
        ...judgeTimingOfTurn(settings, facts, node, measuredBefore()),
        // A node already in its turn is finished, whatever the way back is worth.
        ...(inTurn(settings, facts.cluster, name) ? [] : judgeWayBackAge(settings, facts, newest)),
      ],
    ),
  );
  const { seen: facts, findings } = result;
  const refused = findings.filter(stops);
  if (refused.length > 0) {
    const decision = await describeDecision(settings, facts, context.sshPrivateKey);
    const said = refusal(stateOf(settings, node, facts), `before ${name}'s turn`, refused);
    throw new Error([said, ...decision].join("\n"));
  }
  await keepWayBack(context, owner, touched(settings, facts, accepted), [node]);
  // Where every node runs the version already, and the last is still in its turn, the preflight was not asked.
  keepBackedUp();
  return gateAnswer(findings, cost);
}

/** What a refusal means for the node. */
function stateOf(settings: Settings, { name }: ClusterNode, { cluster }: Facts): string {
  const found = "value" in cluster ? cluster.value.nodes.find((node) => nameOf(node) === name) : undefined;
  return isMarked(settings, found) ? `${name}'s turn does not go on` : `${name} was not touched`;
}
