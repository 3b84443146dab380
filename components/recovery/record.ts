import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Settings } from "../../config";
import { backupDirectory } from "../etcdBackups";
import { keepJson } from "../keepJson";

/** One attempt at a way back. */
export interface Attempt {
  /** The change's attempt. */
  readonly attempt: number;
  /** The way back as one line: `restore`, `rollback:proj-k8sm02`. */
  readonly goBack: string;
  /** RFC 3339: when this attempt was begun; a VM's rollback counts as its own from then on. */
  readonly beganAt: string;
  /** The etcd snapshot that was placed on a server: its file here, when it was taken, and when it was placed. */
  readonly placed?: { readonly file: string; readonly takenAt: string; readonly at?: string };
}

/**
 * What this machine remembers of a way back: kept beside the backups, since nodes forget when their VMs are rolled
 * back, and Pulumi's state holds no time.
 */
export interface WayBackRecord extends Attempt {
  /** Attempts before this one that nobody brought to their end, oldest first: what they left is still to be dealt with. */
  readonly earlier?: readonly Attempt[];
  /** When it was proven done, taken up by a change that goes forward again, or settled. */
  readonly endedAt?: string;
}

/** Every attempt that is not at its end, oldest first. */
export const openAttempts = (record: WayBackRecord | undefined): readonly Attempt[] =>
  record && !record.endedAt ? [...(record.earlier ?? []), record] : [];

/** RFC 3339: when the outage that is to be ended was first worked on, in whichever attempt. */
export const outageBeganAt = ({ earlier = [], beganAt }: WayBackRecord): string =>
  earlier[0]?.beganAt ?? beganAt;

const fileOf = (settings: Settings) => join(backupDirectory(settings), "way-back.json");

/** The record of the latest attempt, if one was ever begun. */
export async function readRecord(settings: Settings): Promise<WayBackRecord | undefined> {
  const text = await readFile(fileOf(settings), "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  return text === undefined ? undefined : (JSON.parse(text) as WayBackRecord);
}

/** Replaces the record. */
export const writeRecord = (settings: Settings, record: WayBackRecord): Promise<void> =>
  keepJson(fileOf(settings), record);

/**
 * Opens the record of an attempt, open ones before it kept in it; a rerun of it goes on with its own.
 * @param beganAt when its first question was asked
 */
export async function beginRecord(
  settings: Settings,
  attempt: number,
  goBack: string,
  beganAt = new Date(),
): Promise<WayBackRecord> {
  const found = await readRecord(settings);
  if (found?.attempt === attempt) return found;
  const earlier = openAttempts(found).map(({ attempt, goBack, beganAt, placed }) => ({
    ...{ attempt, goBack, beganAt },
    ...(placed && { placed }),
  }));
  const record = {
    ...{ attempt, goBack, beganAt: beganAt.toISOString() },
    ...(earlier.length > 0 && { earlier }),
  };
  await writeRecord(settings, record);
  return record;
}

/** Ends the record, if one is open. */
export async function endRecord(settings: Settings): Promise<void> {
  const found = await readRecord(settings);
  if (found && !found.endedAt) await writeRecord(settings, { ...found, endedAt: new Date().toISOString() });
}

/** The attempt's own part of the record. @throws where there is none: Preflight opens it */
export async function recordOf(settings: Settings, attempt: number): Promise<WayBackRecord> {
  const found = await readRecord(settings);
  if (found?.attempt === attempt) return found;
  throw new Error(
    `${fileOf(settings)} has no record of attempt ${attempt}. next: run where the way back was begun; pulumi up asks the first questions anew there`,
  );
}

/** When an attempt was begun, the latest or one that is open. @throws where it is neither */
export async function beganAtOf(settings: Settings, attempt: number): Promise<string> {
  const found = openAttempts(await readRecord(settings)).find((one) => one.attempt === attempt);
  return (found ?? (await recordOf(settings, attempt))).beganAt;
}
