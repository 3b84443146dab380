import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Settings } from "../../config";
import { backupDirectory } from "../etcdBackups";
import { keepJson } from "../keepJson";

/**
 * What this machine remembers of a way back: kept beside the backups, since nodes forget when their VMs are rolled
 * back, and Pulumi's state holds no time.
 */
export interface WayBackRecord {
  /** The change's attempt. */
  readonly attempt: number;
  /** The way back as one line: `restore`, `rollback:proj-k8sm02`. */
  readonly goBack: string;
  /** RFC 3339: when the outage that is to be ended was first worked on in this attempt. */
  readonly beganAt: string;
  /** The etcd snapshot that was placed on a server: its file here, and when it was taken. */
  readonly placed?: { readonly file: string; readonly takenAt: string };
  /** When it was proven done, or taken up by a change that goes forward again. */
  readonly endedAt?: string;
}

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

/** Opens the record of an attempt; a rerun of it goes on with its own. */
export async function beginRecord(
  settings: Settings,
  attempt: number,
  goBack: string,
): Promise<WayBackRecord> {
  const found = await readRecord(settings);
  if (found?.attempt === attempt) return found;
  const record = { attempt, goBack, beganAt: new Date().toISOString() };
  await writeRecord(settings, record);
  return record;
}

/** The record of this attempt. @throws where there is none: Preflight opens it */
export async function recordOf(settings: Settings, attempt: number): Promise<WayBackRecord> {
  const found = await readRecord(settings);
  if (found?.attempt === attempt) return found;
  throw new Error(
    `${fileOf(settings)} has no record of attempt ${attempt}. next: run where the way back was begun; pulumi up asks the first questions anew there`,
  );
}
