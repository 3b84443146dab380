import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { restoresEtcd, type Settings } from "../../config";
import { lookAtWritten, type Written } from "../../observe";
import { type Look, look } from "../../observe/look";
import { backupDirectory, newestBackup } from "../etcdBackups";

/** So many names are told; a list of all is written down before anything is stopped. */
const TOLD = 30;

/** What was written since the etcd snapshot that would be put back; undefined where none is put back, or none is there. */
async function lookAtLosses(settings: Settings, sshPrivateKey: string): Promise<Look<Written> | undefined> {
  if (!settings.goBack || !restoresEtcd(settings.goBack)) return undefined;
  const backup = await newestBackup(settings, settings.acceptedVersion);
  return backup && look(() => lookAtWritten(settings.servers, sshPrivateKey, backup.takenAt));
}

/** The objects that a way back loses, by name, as far as the API can still tell. Never throws. */
export async function describeLosses(settings: Settings, sshPrivateKey: string): Promise<string[]> {
  const found = await lookAtLosses(settings, sshPrivateKey);
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

/** Writes all of it down beside the backups, once an attempt: after etcd is reset nobody can tell any more. */
export async function writeLosses(settings: Settings, sshPrivateKey: string, attempt: number): Promise<void> {
  const found = await lookAtLosses(settings, sshPrivateKey);
  if (!found) return;
  const directory = backupDirectory(settings);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const text = JSON.stringify("value" in found ? found.value : { notMeasured: found.missing }, null, 2);
  const once = { mode: 0o600, flag: "wx" };
  await writeFile(join(directory, `lost-${attempt}.json`), `${text}\n`, once).catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code !== "EEXIST") throw error;
    },
  );
}
