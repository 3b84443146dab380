import type * as pulumi from "@pulumi/pulumi";
import { configure, providerContext } from "./providerConfig";
import { type TakenRancherBackup, takeRancherBackup } from "./rancherBackupFile";

interface Inputs {
  readonly changeId: string;
  readonly wanted: string;
  readonly rancherVersion: string;
}

/** The provider behind {@link RancherBackup}. Its delete does nothing: an export is the operator's to remove. */
export const provider: pulumi.dynamic.ResourceProvider<Inputs, Inputs & TakenRancherBackup> = {
  configure,
  async check(_olds, news) {
    return { inputs: news };
  },
  async diff(_id, olds, news) {
    // Whatever else changes, what was before the change was exported; a file that somebody put elsewhere is still one.
    const replaces = (["changeId", "wanted", "rancherVersion"] as const).filter(
      (field) => olds[field] !== news[field],
    );
    return { changes: replaces.length > 0, replaces };
  },
  async create(inputs) {
    const taken = await takeRancherBackup(providerContext());
    return { id: taken.file || "none", outs: { ...inputs, ...taken } };
  },
  async delete() {},
};
