import type * as pulumi from "@pulumi/pulumi";
import { type Cost, measured, totalCost } from "../observe/cost";
import type { GateAnswer } from "./gateAnswer";
import { configure } from "./providerConfig";

/** What makes one gate differ from another. */
interface Gate<Inputs> {
  id(inputs: Inputs): string;
  /** Inputs that ask it anew when they change, whatever is done. */
  readonly compares: readonly (keyof Inputs)[];
  /**
   * Nothing is left for it to guard: it need not be asked again.
   * @param before what it left when it last let through
   */
  isDone(inputs: Inputs, before: Inputs): Promise<boolean>;
  /**
   * @param before the inputs with which it last let through and its answer then, where it did
   * @throws with what does not hold
   */
  ask(inputs: Inputs, before?: Inputs): Promise<GateAnswer>;
}

/**
 * A provider that asks when the gate is made, and again on every `up` until it is done. Deleting it does nothing.
 * What it cost to look whether gates are done, the next one that is asked bears: one that is passed by leaves no answer.
 */
export function gateProvider<Inputs extends object>({
  id,
  compares,
  isDone,
  ask,
}: Gate<Inputs>): pulumi.dynamic.ResourceProvider<Inputs, Inputs & GateAnswer> {
  let looks: Cost[] = [];
  const answered = async (inputs: Inputs, before?: Inputs): Promise<Inputs & GateAnswer> => {
    const answer = await ask(inputs, before);
    const cost = totalCost([...looks, answer.cost]);
    looks = [];
    return { ...inputs, ...answer, cost };
  };
  return {
    configure,
    async diff(_id, olds, news) {
      if (compares.some((field) => olds[field] !== news[field])) return { changes: true };
      const { result: done, cost } = await measured(() => isDone(news, olds));
      looks.push(cost);
      return { changes: !done };
    },
    create: async (inputs) => ({ id: id(inputs), outs: await answered(inputs) }),
    update: async (_id, olds, news) => ({ outs: await answered(news, olds) }),
  };
}
