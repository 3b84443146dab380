/** Files that are only ever appended to: the chain answers for their beginning, and the rest joins it later. */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { NOTIFICATIONS_FILE } from "../notify/log";
import { digestOf } from "./canonical";
import type { RecordFile } from "./files";

/** Whether a file of a change's folder is one. */
export const grows = (name: string): boolean => name === NOTIFICATIONS_FILE;

/** How many lines came after what a digest is of; undefined where no beginning of the content has that digest. */
export function linesAfter(content: Buffer, sha256: string): number | undefined {
  if (digestOf(content) === sha256) return 0;
  const hash = createHash("sha256");
  for (let from = 0, to = content.indexOf("\n"); to >= 0; from = to + 1, to = content.indexOf("\n", from)) {
    hash.update(content.subarray(from, to + 1));
    if (hash.copy().digest("hex") === sha256)
      return content
        .subarray(to + 1)
        .toString("utf8")
        .split("\n")
        .filter(Boolean).length;
  }
  return undefined;
}

/** Who was told, as a record that stays where it is: nobody has been told where there is none. */
export async function notificationsRecord(directory: string): Promise<RecordFile[]> {
  const content = await readFile(join(directory, NOTIFICATIONS_FILE), "utf8").catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return undefined;
      throw error;
    },
  );
  // A line that a kill has cut short is no beginning that the next one keeps.
  const whole = content?.slice(0, content.lastIndexOf("\n") + 1);
  return whole ? [{ what: "who was told", file: NOTIFICATIONS_FILE, content: whole, stays: true }] : [];
}
