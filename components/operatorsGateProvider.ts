import { judge, judgeOperatorsWindow, judgeReleases, lookAtReleases, observe, toBeMoved } from "../observe";
import { measured } from "../observe/cost";
import { look } from "../observe/look";
import { isUnderWay } from "./changePolicy";
import { type GateAnswer, gateAnswer } from "./gateAnswer";
import { gateProvider } from "./gateProvider";
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
}

/** The provider behind {@link OperatorsGate}. */
export const provider = gateProvider<Inputs>({
  id: () => "operators-gate",
  compares: ["operators", "digest", "attempt", "owner"],
  isDone: allDone,
  ask,
});

/** Whether every release is deployed as the stack says. */
async function allDone(): Promise<boolean> {
  const { settings, sshPrivateKey } = providerContext();
  const releases = await look(() => lookAtReleases(settings, sshPrivateKey));
  return "value" in releases && toBeMoved(settings, releases.value).length === 0;
}

/** @param before what was asked for when the gate last let through: those operators are in this stack's state */
async function ask(inputs: Inputs, before?: Inputs): Promise<GateAnswer> {
  const { settings, ...secrets } = providerContext();
  const held = new Set(before?.operators.split(" "));
  const { result, cost } = await measured(() =>
    judgeSteadily(
      async () => {
        const releases = await look(() => lookAtReleases(settings, secrets.sshPrivateKey));
        const moved = movedBy(inputs, before, "value" in releases ? toBeMoved(settings, releases.value) : []);
        // With an upgrade the preflight has asked all that before.
        const alone = moved.length > 0 && !isUnderWay(inputs);
        return { releases, moved, facts: alone ? await observe(settings, secrets) : undefined };
      },
      ({ releases, moved, facts }) => [
        ...judgeReleases(settings, releases, held),
        ...judgeOperatorsWindow(settings, moved, new Date()),
        ...(facts ? judge(settings, facts, inputs.owner) : []),
      ],
    ),
  );
  const refused = result.findings.filter(stops);
  if (refused.length > 0) throw new Error(refusal("no operator was touched", "before an operator", refused));
  return gateAnswer(result.findings, cost);
}

/** Whose releases will move: of another version or not well; all, where what is asked for is no longer what it was. */
function movedBy(inputs: Inputs, before: Inputs | undefined, toMove: readonly { name: string }[]): string[] {
  if (before && before.digest !== inputs.digest) return inputs.operators.split(" ");
  return toMove.map(({ name }) => name);
}
