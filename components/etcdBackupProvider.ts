import type * as pulumi from "@pulumi/pulumi";
import { type TakenBackup, takeEtcdBackup } from "./etcdBackupFile";
import { newestBackup } from "./etcdBackups";
import { configure, providerContext } from "./providerConfig";

interface Inputs {
  readonly accepted: string;
  readonly changeId: string;
}

/** A change that goes back before its snapshot was taken. */
const NONE: TakenBackup = { file: "", sha256: "", bytes: 0, takenAt: "", server: "", version: "" };

/** The provider behind {@link EtcdBackup}. It has no delete: a backup is the operator's to remove. */
export const provider: pulumi.dynamic.ResourceProvider<Inputs, Inputs & TakenBackup> = {
  configure,
  async diff(_id, olds, news) {
    // While going back none is taken: what etcd holds by then is what to go back from.
    if (providerContext().settings.goBack) return { changes: false };
    // A new change takes a new one; nothing else ever does.
    const replaces = (["accepted", "changeId"] as const).filter((field) => olds[field] !== news[field]);
    const { settings } = providerContext();
    const gone = (await newestBackup(settings, settings.acceptedVersion)) === undefined;
    return { changes: replaces.length > 0 || gone, replaces };
  },
  async create(inputs) {
    const taken = providerContext().settings.goBack ? NONE : await takeEtcdBackup(providerContext());
    return { id: taken.file || "none", outs: { ...inputs, ...taken } };
  },
  // Somebody removed it since. Preflight has refused by now where a server is upgraded already.
  async update(_id, _olds, news) {
    return { outs: { ...news, ...(await takeEtcdBackup(providerContext())) } };
  },
};
