import { readdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { type GoBack, type Settings, versionsToGoTo } from "../config";

/** An etcd snapshot off its node, encrypted. */
export interface Backup {
  /** Absolute path; beside it `.sha256`. The token lies in `tokens/`. */
  readonly file: string;
  /** When it was begun: what was written after it is not in it. */
  readonly takenAt: Date;
  /**
   * The RKE2 version whose data it is: the accepted one while every server ran that when it was done and none ever ran
   * another (dataVersion.ts), else the wanted one. Which of them a way back takes: {@link backupToGoTo}.
   */
  readonly version: string;
}

/** Where a change's backups lie: one folder a change, the accepted version in its name. */
export const backupDirectory = (settings: Settings): string =>
  resolve(settings.backup.directory, `${settings.changeId}-${fileVersion(settings.acceptedVersion)}`);

/** The file of a backup: `etcd-2026-11-24T081334Z-v1.35.4-rke2r1.age`. */
export function backupFile(settings: Settings, takenAt: Date, version: string): string {
  const stamp = takenAt.toISOString().slice(0, 19).replaceAll(":", "");
  return join(backupDirectory(settings), `etcd-${stamp}Z-${fileVersion(version)}.age`);
}

/** A version as file names have it. */
export const fileVersion = (version: string): string => version.replaceAll("+", "-");

const NAME = /^etcd-(\d{4}-\d\d-\d\d)T(\d\d)(\d\d)(\d\d)Z-(v[\d.]+)-(rke2r\d+)\.age$/;

/** How far machines that take backups may be ahead of this one: each at most a minute from the nodes (observe/checks/clocks.ts). */
const AHEAD_MS = 120_000;

/** Whether it bears a time to come: a clock was wrong, and how old it is nobody knows. */
export const isFromFuture = (backup: Backup): boolean => ageMs(backup) < -AHEAD_MS;

/**
 * This change's backups, the newest first; last those that bear a time to come, for want of any other. One without its sum
 * is none: it was broken off before it was whole, and must not stand before an older one that is.
 */
export async function listBackups(settings: Settings): Promise<Backup[]> {
  const directory = backupDirectory(settings);
  const names = new Set(await readdir(directory).catch(() => []));
  return [...names]
    .flatMap((name): Backup[] => {
      const [, day, hour, minute, second, version, release] = NAME.exec(name) ?? [];
      if (!day || !names.has(`${name}.sha256`)) return [];
      const takenAt = new Date(`${day}T${hour}:${minute}:${second}Z`);
      return [{ file: join(directory, name), takenAt, version: `${version}+${release}` }];
    })
    .sort(
      (a, b) =>
        Number(isFromFuture(a)) - Number(isFromFuture(b)) || b.takenAt.getTime() - a.takenAt.getTime(),
    );
}

/** The newest backup of this change; the newest of one version's data where that is given. */
export async function newestBackup(settings: Settings, version?: string): Promise<Backup | undefined> {
  return (await listBackups(settings)).find((backup) => version === undefined || backup.version === version);
}

/**
 * The backup that a way back of the whole cluster puts back; what is told of it beforehand goes by this too.
 * @param strategy the one that is asked for, where left out; where none is, the backup is of the accepted version
 */
export async function backupToGoTo(
  settings: Settings,
  strategy?: GoBack["strategy"],
): Promise<Backup | undefined> {
  const versions = versionsToGoTo(settings, strategy);
  return (await listBackups(settings)).find(({ version }) => versions.includes(version));
}

/** How old a backup's data is, milliseconds. */
export const ageMs = ({ takenAt }: Backup): number => Date.now() - takenAt.getTime();

/** Whether it is older than so many milliseconds; one of a time to come is, whatever it holds. */
export const isOlderThan = (backup: Backup, ms: number): boolean =>
  isFromFuture(backup) || ageMs(backup) > ms;
