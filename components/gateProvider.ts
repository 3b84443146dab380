import type * as pulumi from "@pulumi/pulumi";
import type { GateAnswer } from "./gateAnswer";
import { configure } from "./providerConfig";

/** What makes one gate differ from another. */
interface Gate<Inputs> {
  id(inputs: Inputs): string;
  /** Inputs that ask it anew when they change, whatever is done. */
  readonly compares: readonly (keyof Inputs)[];
  /** Nothing is left for it to guard: it need not be asked again. */
  isDone(inputs: Inputs): Promise<boolean>;
  /** @throws with what does not hold */
  ask(inputs: Inputs): Promise<GateAnswer>;
}

/** A provider that asks when the gate is made, and again on every `up` until it is done. Deleting it does nothing. */
export const gateProvider = <Inputs extends object>({
  id,
  compares,
  isDone,
  ask,
}: Gate<Inputs>): pulumi.dynamic.ResourceProvider<Inputs, Inputs & GateAnswer> => ({
  configure,
  check: async (_olds, news) => ({ inputs: news }),
  async diff(_id, olds, news) {
    const altered = compares.some((field) => olds[field] !== news[field]);
    return { changes: altered || !(await isDone(news)) };
  },
  create: async (inputs) => ({ id: id(inputs), outs: { ...inputs, ...(await ask(inputs)) } }),
  update: async (_id, _olds, news) => ({ outs: { ...news, ...(await ask(news)) } }),
});
