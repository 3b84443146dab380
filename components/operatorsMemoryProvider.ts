import { isDeepStrictEqual } from "node:util";
import type { LetThrough } from "./letThrough";

interface Inputs {
  readonly letThrough: LetThrough;
  readonly known: LetThrough;
}

const now = (inputs: Inputs): Inputs => ({ ...inputs, known: inputs.letThrough });

/** The provider behind {@link OperatorsMemory}. */
export const provider = {
  check: async (olds: Partial<Inputs> | undefined, news: Pick<Inputs, "letThrough">) => ({
    inputs: { ...news, known: olds?.letThrough ?? {} },
  }),
  diff: async (_id: string, olds: Inputs, news: Inputs) => ({
    changes: !isDeepStrictEqual(olds.letThrough, news.letThrough),
  }),
  create: async (inputs: Inputs) => ({ id: "operators-memory", outs: now(inputs) }),
  update: async (_id: string, _olds: Inputs, news: Inputs) => ({ outs: now(news) }),
};
