/** Files that are only ever appended to: the chain answers for their beginning, and the rest joins it later. */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { asJson, NOTIFICATIONS_FILE } from "../notify/log";
import { digestOf } from "./canonical";
import type { RecordFile } from "./chain";
import { runSchema } from "./evidenceSchema";

/**
 * Whether a file of a change's folder is one: who was told; and the log of a run that was killed, whose engine may go on
 * writing to it.
 */
export async function grows(directory: string, name: string): Promise<boolean> {
  if (name === NOTIFICATIONS_FILE) return true;
  const run = /^run-\d+(?=\.log$)/.exec(name)?.[0];
  if (!run) return false;
  const record = await readFile(join(directory, `${run}.json`), "utf8").catch(() => "");
  const parsed = runSchema.safeParse(asJson(record));
  return parsed.success && parsed.data.endedAt === undefined;
}

/** Without a line that is not whole yet, or that a kill has cut short: what comes next need not begin with it. */
export const wholeLines = (content: string): string => content.slice(0, content.lastIndexOf("\n") + 1);

/** How many lines came after what a digest is of; undefined where no beginning of the content has that digest. */
export function linesAfter(content: Buffer, sha256: string): number | undefined {
  if (digestOf(content) === sha256) return 0;
  const hash = createHash("sha256");
  for (let end = 0; ; ) {
    if (hash.copy().digest("hex") === sha256)
      return content.subarray(end).toString("utf8").split("\n").filter(Boolean).length;
    const next = content.indexOf("\n", end) + 1;
    if (next === 0) return undefined;
    hash.update(content.subarray(end, next));
    end = next;
  }
}

/** Who was told, as a record that stays where it is: nobody has been told where there is none. */
export async function notificationsRecord(directory: string): Promise<RecordFile[]> {
  const content = await readFile(join(directory, NOTIFICATIONS_FILE), "utf8").catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return undefined;
      throw error;
    },
  );
  const whole = content && wholeLines(content);
  return whole ? [{ what: "who was told", file: NOTIFICATIONS_FILE, content: whole, stays: true }] : [];
}
