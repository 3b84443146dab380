import { existsSync } from "node:fs";
import { join } from "node:path";
import { restoresEtcd, type Settings } from "../../config";
import { describeCensus, lookAtWritten, type Written } from "../../observe";
import { type Look, look } from "../../observe/look";
import { type Backup, backupDirectory, backupToGoTo } from "../etcdBackups";
import { keepJson } from "../keepJson";
import { changeOfObjects } from "../keptCensus";
import { readRecord } from "./record";

/** So many names are told; a list of all is written down before anything is stopped. */
const TOLD = 30;

/** The etcd snapshot that is put back as asked; undefined where none is, or none is there. */
const backupAsked = async (settings: Settings): Promise<Backup | undefined> =>
  settings.goBack && restoresEtcd(settings.goBack) ? backupToGoTo(settings) : undefined;

/** What was written since the etcd snapshot that would be put back. */
async function lookAtLosses(
  settings: Settings,
  sshPrivateKey: string,
  given?: Backup,
): Promise<Look<Written> | undefined> {
  const backup = given ?? (await backupAsked(settings));
  return backup && look(() => lookAtWritten(settings.servers, sshPrivateKey, backup.takenAt));
}

/**
 * The objects that a way back loses, by name, as far as the API can still tell. Never throws.
 * @param given the backup that is put back where no way back is asked for: going forward again
 */
export async function describeLosses(
  settings: Settings,
  sshPrivateKey: string,
  given?: Backup,
): Promise<string[]> {
  const found = await lookAtLosses(settings, sshPrivateKey, given);
  if (!found) return [];
  if ("missing" in found) return [`  which objects these are is not measured: ${found.missing}`];
  const list = (what: string, names: readonly string[]) =>
    `  ${what}: ${names.length === 0 ? "none" : names.slice(0, TOLD).join(", ")}${names.length > TOLD ? `, and ${names.length - TOLD} more` : ""}`;
  return [
    list("created since, and gone", found.value.created),
    list("changed since, and as they were then", found.value.changed),
    "  what was deleted since is there again; nobody can list it",
  ];
}

/** Whether objects are gone from etcd itself, whatever the strategy: a reinstall would not bring them back. Never throws. */
export async function describeObjects(settings: Settings, sshPrivateKey: string): Promise<string[]> {
  const found = await changeOfObjects(settings, sshPrivateKey);
  if (!found) return [];
  return [
    `  objects by kind: ${"value" in found ? describeCensus(found.value) : `not measured: ${found.missing}`}`,
  ];
}

/**
 * Writes all of it down beside the backups, once an attempt and before anything is stopped: after etcd is reset nobody
 * can tell any more. Where nobody could tell the first time, nothing is written, and that was said.
 */
export async function writeLosses(
  settings: Settings,
  sshPrivateKey: string,
  attempt: number,
  given?: Backup,
): Promise<void> {
  const file = join(backupDirectory(settings), `lost-${attempt}.json`);
  if (existsSync(file) || (await readRecord(settings))?.attempt === attempt) return;
  const found = await lookAtLosses(settings, sshPrivateKey, given);
  if (!found || "missing" in found) return;
  await keepJson(file, found.value);
}
