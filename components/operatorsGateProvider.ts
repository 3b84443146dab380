import { isChanging } from "../config";
import {
  inTurn,
  judge,
  judgeOperatorsWindow,
  lookAtKubeVersion,
  lookAtRancher,
  lookAtReleases,
  observe,
  type Releases,
  toBeMoved,
} from "../observe";
import { lookAtCluster } from "../observe/cluster";
import { measured } from "../observe/cost";
import { look } from "../observe/look";
import { keepBackedUp } from "./backupTimer";
import { type GateAnswer, gateAnswer } from "./gateAnswer";
import { gateProvider } from "./gateProvider";
import { judgeOperators, namesMovedByHand } from "./judgeOperators";
import { isLetThrough, type LetThrough, letThrough } from "./letThrough";
import { holdForOperators } from "./locks";
import { providerContext } from "./providerConfig";
import { refusal, stops } from "./refusal";
import { judgeSteadily } from "./steadyLook";

interface Inputs {
  readonly operators: string;
  readonly digest: string;
  readonly wanted: string;
  readonly accepted: string;
  readonly changeId: string;
  readonly attempt: number;
  readonly owner: string;
  /** Names of the operators that this stack holds: as inputs before it asks, then those that it has let through. */
  readonly held?: string;
  /** No input, but what it left when it last let through. */
  readonly letThrough?: LetThrough;
}

/** The provider behind {@link OperatorsGate}. */
export const provider = {
  ...gateProvider<Inputs>({
    id: () => "operators-gate",
    compares: ["operators", "digest", "attempt", "owner"],
    isDone: allDone,
    ask,
  }),
  // Preview learns from it whose the releases are: once a way back took the gate out of the state, they are nobody's.
  check: async (olds: Partial<Inputs> | undefined, news: Inputs) => ({
    inputs: { ...news, held: olds?.operators ?? "" },
  }),
};

/** Whether every release is this stack's, and deployed as it says. */
async function allDone(_inputs: Inputs, { letThrough = {} }: Inputs): Promise<boolean> {
  const { settings, sshPrivateKey } = providerContext();
  // One that only waited for a node's turn to end has not been let through.
  if (settings.operators.some(({ name }) => !letThrough[name])) return false;
  const releases = await look(() => lookAtReleases(settings, sshPrivateKey));
  return "value" in releases && toBeMoved(settings, releases.value).length === 0;
}

/** @param before what it left when it last let through: those operators are in this stack's state */
async function ask(
  inputs: Inputs,
  before?: Inputs,
): Promise<GateAnswer & Pick<Inputs, "held" | "letThrough">> {
  const { settings, ...secrets } = providerContext();
  const known = before?.letThrough ?? {};
  const rancher = settings.operators.find((one) => one.rancher);
  const { result, cost } = await measured(async () => {
    const { seen, findings } = await judgeSteadily(
      async () => {
        const releases = await look(() => lookAtReleases(settings, secrets.sshPrivateKey));
        const live: Releases = "value" in releases ? releases.value : new Map();
        const toMove = "value" in releases ? toBeMoved(settings, live) : [];
        const moved = movedBy(inputs, before, toMove);
        // With an upgrade the preflight has asked all that before.
        const alone = moved.length > 0 && !isChanging(settings);
        const byHand = namesMovedByHand(settings, live, known);
        // Whoever else moves.
        const asked =
          rancher && (toMove.includes(rancher) || !isLetThrough(rancher, known)) ? rancher : undefined;
        const [facts, rancherFacts, rancherChart] = await Promise.all([
          alone ? observe(settings, secrets) : undefined,
          asked && look(() => lookAtRancher(settings, secrets.sshPrivateKey)),
          asked && look(() => lookAtKubeVersion(asked)),
        ]);
        const names = new Set(toMove.map(({ name }) => name));
        return { releases, live, moved, byHand, toMove: names, facts, rancherFacts, rancherChart };
      },
      ({ moved, facts, ...seen }) => [
        ...judgeOperators(settings, seen, known, false),
        ...judgeOperatorsWindow(settings, moved, new Date()),
        ...(facts ? judge(settings, facts, inputs.owner) : []),
      ],
    );
    // Their own come first, one each, then Rancher's.
    const own = judgeOperators(settings, seen, known, false);
    const stopped = settings.operators.filter((_, i) => own.slice(i, i + 1).some(stops));
    const unfinished = own.some(stops) && isChanging(settings) && (await anyInTurn());
    return {
      moved: seen.moved,
      findings: [...judgeOperators(settings, seen, known, unfinished), ...findings.slice(own.length)],
      letThrough: letThrough(settings, seen.live, known, new Set(stopped.map(({ name }) => name))),
    };
  });
  const refused = result.findings.filter(stops);
  if (refused.length > 0) throw new Error(refusal("no operator was touched", "before an operator", refused));
  // Where every node runs the version already, the preflight was not asked. Alone there is no snapshot to join.
  if (isChanging(settings)) keepBackedUp();
  const { letThrough: ours, moved } = result;
  await holdForOperators(settings, secrets.sshPrivateKey, inputs.owner, moved);
  return { ...gateAnswer(result.findings, cost), held: Object.keys(ours).join(" "), letThrough: ours };
}

/** Whether a node's turn has begun and not ended; not, where nobody can say. */
async function anyInTurn(): Promise<boolean> {
  const { settings, sshPrivateKey } = providerContext();
  const cluster = await look(() => lookAtCluster({ servers: settings.servers, drained: [] }, sshPrivateKey));
  return settings.nodes.some(({ name }) => inTurn(settings, cluster, name));
}

/** Whose releases will move: of another version or not well; all, where what is asked for is no longer what it was. */
function movedBy(inputs: Inputs, before: Inputs | undefined, toMove: readonly { name: string }[]): string[] {
  if (before && before.digest !== inputs.digest) return inputs.operators.split(" ");
  return toMove.map(({ name }) => name);
}
