import type * as pulumi from "@pulumi/pulumi";
import { type TakenBackup, takeEtcdBackup } from "./etcdBackupFile";
import { configure, providerContext } from "./providerConfig";

interface Inputs {
  readonly accepted: string;
  readonly changeId: string;
}

/** The provider behind {@link EtcdBackup}. Its delete does nothing: a backup is the operator's to remove. */
export const provider: pulumi.dynamic.ResourceProvider<Inputs, Inputs & TakenBackup> = {
  configure,
  async check(_olds, news) {
    return { inputs: news };
  },
  async diff(_id, olds, news) {
    // A new change takes a new one; nothing else ever does.
    const replaces = (["accepted", "changeId"] as const).filter((field) => olds[field] !== news[field]);
    return { changes: replaces.length > 0, replaces };
  },
  async create(inputs) {
    const taken = await takeEtcdBackup(providerContext());
    return { id: taken.file, outs: { ...inputs, ...taken } };
  },
  async delete() {},
};
