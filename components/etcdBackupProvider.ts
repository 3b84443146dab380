import type * as pulumi from "@pulumi/pulumi";
import { type TakenBackup, takeEtcdBackup } from "./etcdBackupFile";
import { newestBackup } from "./etcdBackups";
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
    const { settings } = providerContext();
    const gone = (await newestBackup(settings, settings.acceptedVersion)) === undefined;
    return { changes: replaces.length > 0 || gone, replaces };
  },
  async create(inputs) {
    const taken = await takeEtcdBackup(providerContext());
    return { id: taken.file, outs: { ...inputs, ...taken } };
  },
  // Somebody removed it since. Preflight has refused by now where a server is upgraded already.
  async update(_id, _olds, news) {
    return { outs: { ...news, ...(await takeEtcdBackup(providerContext())) } };
  },
  async delete() {},
};
