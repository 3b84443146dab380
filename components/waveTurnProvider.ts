import type * as pulumi from "@pulumi/pulumi";
import type { GateAnswer } from "./gateAnswer";
import { engineLives, operatorLog } from "./operatorLog";
import { configure, providerContext } from "./providerConfig";
import { runRebooting } from "./rebooting";
import { runStep } from "./runStep";
import { askBeforeTurn, finished, type TurnInputs } from "./turnQuestions";
import { agentTurn } from "./turns";
import { failuresOfThisRun } from "./waveFailures";
import { runTurn } from "./waveRun";

interface Inputs extends TurnInputs {
  readonly fellows: string;
}

interface Outs extends Inputs, Partial<GateAnswer> {
  readonly results: Readonly<Record<string, string>>;
  readonly before: string;
  readonly after: string;
  /** Why the turn did not end, with what to do next; empty where it did. */
  readonly failed: string;
}

const COMPARED = ["node", "fellows", "wanted", "accepted", "changeId", "attempt", "owner"] as const;

/**
 * The provider behind {@link WaveTurn}. Its diff says "changed" until the node's turn is over, by the cluster's word: a turn
 * that failed, or that was killed at any point, is run again from its gate, and finds done what is done.
 */
export const provider: pulumi.dynamic.ResourceProvider<Inputs, Outs> = {
  configure,
  async diff(_id, olds, news) {
    const altered = COMPARED.some((field) => olds[field] !== news[field]);
    return { changes: altered || olds.failed !== "" || !(await finished()).has(news.node) };
  },
  create: async (inputs) => ({ id: `turn-${inputs.node}`, outs: await turn(inputs) }),
  update: async (_id, _olds, news) => ({ outs: await turn(news) }),
};

async function turn(inputs: Inputs): Promise<Outs> {
  const context = providerContext();
  const { settings } = context;
  const { node: name, fellows, owner, attempt } = inputs;
  const node = settings.agents.find((one) => one.name === name);
  if (!node)
    throw new Error(`${name} is no agent in nodes. next: put it back; nodes leave the list after acceptance`);
  const { answer, results, failed } = await runTurn(
    {
      node: name,
      fellows: fellows.split(" "),
      steps: agentTurn(settings, node),
      // Killed after its turn and before the engine wrote that down: nothing is left to be asked before.
      ask: async () => ((await finished()).has(name) ? undefined : askBeforeTurn(inputs)),
      run: (step) =>
        (step.reboots ? runRebooting : runStep)(context, owner, step, {
          attempt,
          about: name,
          dialSeconds: settings.limits.sshSeconds,
        }),
      isWanted: engineLives,
      tell: operatorLog.info,
      warn: operatorLog.warn,
    },
    failuresOfThisRun,
  );
  return {
    ...inputs,
    ...answer,
    results: Object.fromEntries(results),
    before: results.get("gate-node") ?? "",
    after: results.get("verify-node") ?? "",
    failed,
  };
}
