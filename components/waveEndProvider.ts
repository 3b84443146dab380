import { measured } from "../observe/cost";
import { type GateAnswer, gateAnswer } from "./gateAnswer";
import { gateProvider } from "./gateProvider";
import { finished, finishedNow, type TurnInputs } from "./turnQuestions";
import { failuresOfThisRun } from "./waveFailures";
import { waveRefusal } from "./waveRun";

interface Inputs extends Omit<TurnInputs, "node"> {
  readonly nodes: string;
}

/** The provider behind {@link WaveEnd}. */
export const provider = gateProvider<Inputs>({
  id: ({ nodes }) => `wave-${nodes.replaceAll(" ", "-")}`,
  compares: ["nodes", "wanted", "accepted", "changeId", "attempt", "owner"],
  async isDone({ nodes }) {
    const done = await finished();
    return nodes.split(" ").every((node) => done.has(node));
  },
  ask,
});

async function ask({ nodes, wanted }: Inputs): Promise<GateAnswer> {
  const wave = nodes.split(" ");
  const { result: done, cost } = await measured(finishedNow);
  const unfinished = wave.filter((node) => !done.has(node));
  const refused = waveRefusal(wave, failuresOfThisRun, unfinished);
  if (refused) throw new Error(refused);
  const found = wave.map((node) => ({
    check: `${node}: its turn is over`,
    found: `${wanted}, no mark of a turn`,
    wanted: `${wanted}, no mark of a turn`,
    verdict: "pass" as const,
  }));
  return gateAnswer(found, cost);
}
