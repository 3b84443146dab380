import type * as pulumi from "@pulumi/pulumi";
import { configure, providerContext } from "../providerConfig";
import { rollBackNode } from "./vmRollback";

interface Inputs {
  readonly node: string;
  readonly attempt: number;
}
type Outputs = Inputs & { snapshot: string; takenAt: string };

/** The provider behind {@link VmRollback}: never anew within an attempt, whatever else changes. */
export const provider: pulumi.dynamic.ResourceProvider<Inputs, Outputs> = {
  configure,
  async diff(_id, olds, news) {
    return { changes: olds.node !== news.node || olds.attempt !== news.attempt };
  },
  async create(inputs) {
    return { id: `${inputs.node}/rolled-back`, outs: await goBack(inputs) };
  },
  async update(_id, _olds, news) {
    return { outs: await goBack(news) };
  },
};

async function goBack(inputs: Inputs): Promise<Outputs> {
  const context = providerContext();
  const node = context.settings.nodes.find(({ name }) => name === inputs.node);
  if (!node) throw new Error(`nodes names no ${inputs.node}`);
  return { ...inputs, ...(await rollBackNode(context, node, inputs.attempt)) };
}
