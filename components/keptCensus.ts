/** The census of a cluster as it was when an etcd snapshot was taken: kept beside the snapshot, and held against later. */
import { readFile } from "node:fs/promises";
import { z } from "zod";
import type { Settings } from "../config";
import { type Census, type CensusChange, censusSchema, compareCensus, lookAtCensus } from "../observe";
import { type Look, look } from "../observe/look";
import { backupToGoTo } from "./etcdBackups";
import { keepJson } from "./keepJson";

const keptSchema = z.union([
  z.strictObject({ value: censusSchema }),
  z.strictObject({ missing: z.string() }),
]);

const fileOf = (backupFile: string): string => `${backupFile}.objects.json`;

/** Keeps it beside a backup's file. What could not be counted is kept as the reason. */
export const keepCensus = (backupFile: string, census: Look<Census>): Promise<void> =>
  keepJson(fileOf(backupFile), census);

/** What has become since of the objects that a backup holds. Never throws. */
export async function changeSince(
  backupFile: string,
  { servers }: Pick<Settings, "servers">,
  sshPrivateKey: string,
): Promise<Look<CensusChange>> {
  return look(async () => {
    const text = await readFile(fileOf(backupFile), "utf8").catch(() => undefined);
    if (text === undefined) throw new Error("no census was kept with the etcd snapshot");
    const kept = keptSchema.parse(JSON.parse(text));
    if ("missing" in kept) throw new Error(`not counted with the etcd snapshot: ${kept.missing}`);
    return compareCensus(kept.value, await lookAtCensus(servers, sshPrivateKey));
  });
}

/** The same for the etcd snapshot that the way back takes, else the newest of before this change; undefined before there is one. Never throws. */
export async function changeOfObjects(
  settings: Settings,
  sshPrivateKey: string,
): Promise<Look<CensusChange> | undefined> {
  const backup = await backupToGoTo(settings);
  return backup && changeSince(backup.file, settings, sshPrivateKey);
}
