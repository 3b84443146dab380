import type * as pulumi from "@pulumi/pulumi";
import { holdCluster } from "./locks";
import { configure, providerContext } from "./providerConfig";
import { proveLive } from "./releaseProvider";

interface Inputs {
  readonly askedAt: string;
  readonly owner: string;
}

/** The provider behind {@link OperatorsLock}. */
export const provider: pulumi.dynamic.ResourceProvider<Inputs, Inputs> = {
  configure,
  async diff(_id, olds, news) {
    return { changes: olds.askedAt !== news.askedAt };
  },
  async create(inputs) {
    return { id: "operators-lock", outs: await letGo(inputs) };
  },
  async update(_id, _olds, news) {
    return { outs: await letGo(news) };
  },
};

async function letGo(inputs: Inputs): Promise<Inputs> {
  const { settings, sshPrivateKey } = providerContext();
  await proveLive();
  await holdCluster(settings, sshPrivateKey, inputs.owner, "release");
  return inputs;
}
