/**
 * Whose data etcd holds: the accepted version's until a server was ever upgraded in this change. What the servers run now
 * does not tell: one that was upgraded, wrote and was mended runs the accepted version again. So it is remembered beside
 * the backups, as far as this machine has seen it.
 */
import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { isWholeCluster, type Settings } from "../config";
import { lookAtNode } from "../observe";
import { look } from "../observe/look";
import { backupDirectory, listBackups } from "./etcdBackups";
import { keepJson } from "./keepJson";
import { readRecord } from "./recovery/record";

const fileOf = (settings: Settings): string => join(backupDirectory(settings), "newer-data.json");

/** Whether etcd may hold what the wanted version wrote. */
export const hasNewerData = (settings: Settings): boolean => existsSync(fileOf(settings));

/** A server is upgraded, or was: from now on etcd may hold what the wanted version writes. */
export async function rememberNewerData(settings: Settings): Promise<void> {
  // In a round of OS patches no version writes but the one.
  if (settings.rke2Version === settings.acceptedVersion || hasNewerData(settings)) return;
  await keepJson(fileOf(settings), { since: new Date().toISOString() });
}

/**
 * The same before servers go back, once an attempt and before they are touched: after, none can tell any more. One that
 * does not answer counts as upgraded: such a snapshot is the one that a restore must not take.
 */
export async function rememberBeforeBack(
  settings: Settings,
  sshPrivateKey: string,
  attempt: number,
): Promise<void> {
  const { goBack, servers } = settings;
  if (!goBack || (!isWholeCluster(goBack) && !servers.some(({ name }) => goBack.nodes?.includes(name))))
    return;
  if ((await readRecord(settings))?.attempt === attempt) return;
  if ((await serversAre(settings, sshPrivateKey)) !== "accepted") await rememberNewerData(settings);
}

/** The change is settled: another under its ID begins anew. */
export const forgetNewerData = (settings: Settings): Promise<void> => rm(fileOf(settings), { force: true });

/** Etcd is what this backup holds: nothing newer, where that was the accepted version's. */
export async function forgetWhatIsGone(settings: Settings, placed: string): Promise<void> {
  const backup = (await listBackups(settings)).find(({ file }) => file === placed);
  if (backup?.version === settings.acceptedVersion) await forgetNewerData(settings);
}

/** Whose data a snapshot holds that was begun before this is asked. */
export async function dataVersion(settings: Settings, sshPrivateKey: string): Promise<string> {
  const { acceptedVersion, rke2Version, servers, goBack } = settings;
  const now = await serversAre(settings, sshPrivateKey);
  if (now === "upgraded") await rememberNewerData(settings);
  const mended = servers.some(({ name }) => goBack?.nodes?.includes(name));
  return now === "accepted" && !mended && !hasNewerData(settings) ? acceptedVersion : rke2Version;
}

/** What the servers run: all the accepted version, one of them another, or nobody can tell since one does not answer. */
async function serversAre(
  { servers, acceptedVersion }: Settings,
  sshPrivateKey: string,
): Promise<"accepted" | "upgraded" | "unknown"> {
  const looks = await Promise.all(servers.map((server) => look(() => lookAtNode(server, sshPrivateKey))));
  const seen = looks.flatMap((one) => ("value" in one ? [one.value] : []));
  const isAnother = (version: string) => version !== "" && version !== acceptedVersion;
  if (seen.some(({ versionOnDisk, versionRunning }) => isAnother(versionOnDisk) || isAnother(versionRunning)))
    return "upgraded";
  const proven = seen.filter(
    ({ versionOnDisk, versionRunning }) =>
      versionOnDisk === acceptedVersion && versionRunning === acceptedVersion,
  );
  return proven.length === servers.length ? "accepted" : "unknown";
}
