/**
 * `notifications.jsonl` in a change's folder: a line for every message and channel, and one for every try. Only ever
 * appended to, so that what the chain of records answers for stays as it was.
 */
import { appendFileSync, closeSync, existsSync, fsyncSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type ChannelName, type Line, lineSchema, type Message } from "./message";

export const NOTIFICATIONS_FILE = "notifications.jsonl";

/** What became of one message on one channel. */
export interface Telling {
  readonly channel: ChannelName;
  readonly message: Message;
  readonly outcome: "delivered" | "refused" | "not delivered";
  readonly tries: number;
  /** When it was delivered or given up. */
  readonly endedAt?: string;
  /** Of the last try: why it failed, or what the receiver said. */
  readonly detail?: string;
}

/** The lines of a folder; none where nobody was told of anything. A line that a kill cut short is no line. */
export function readLines(directory: string): Line[] {
  const file = join(directory, NOTIFICATIONS_FILE);
  if (!existsSync(file)) return [];
  return linesOf(readFileSync(file, "utf8"));
}

/** @throws where a line is none of ours: it was edited */
export function linesOf(text: string): Line[] {
  return text.split("\n").flatMap((line, i): Line[] => {
    if (line === "") return [];
    const parsed = lineSchema.safeParse(asJson(line));
    if (parsed.success) return [parsed.data];
    // Only a write that was cut short leaves half a line; what is whole JSON was written so.
    if (asJson(line) === undefined) return [];
    throw new Error(
      `${NOTIFICATIONS_FILE} line ${i + 1} is not what was written there. next: npm run change -- report --verify FOLDER`,
    );
  });
}

/** A text's value; undefined where it is no JSON. */
export function asJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

/** Appends a line; when this returns, a power cut does not take it. */
export function appendLine(directory: string, line: Line): void {
  const name = join(directory, NOTIFICATIONS_FILE);
  const cut = existsSync(name) && !/(^|\n)$/.test(readFileSync(name, "utf8"));
  const file = openSync(name, "a", 0o640);
  try {
    appendFileSync(file, `${cut ? "\n" : ""}${JSON.stringify(line)}\n`);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** What became of every message, in the order in which they were to be sent. Pure. */
export function tellings(lines: readonly Line[]): Telling[] {
  return lines.flatMap((line): Telling[] => {
    if (line.outcome !== "queued") return [];
    const tries = lines.filter(
      ({ channel, id, outcome }) => channel === line.channel && id === line.id && outcome !== "queued",
    );
    const ended = tries.find(({ outcome }) => outcome === "delivered" || outcome === "refused");
    const last = ended ?? tries.at(-1);
    return [
      {
        channel: line.channel,
        message: line.message,
        outcome: ended ? (ended.outcome as "delivered" | "refused") : "not delivered",
        tries: tries.length,
        endedAt: ended?.at,
        detail: last && "detail" in last ? last.detail : undefined,
      },
    ];
  });
}

/** The messages that a channel still owes, the oldest first. */
export const owed = (lines: readonly Line[], channel: ChannelName): Message[] =>
  tellings(lines)
    .filter((one) => one.channel === channel && one.outcome === "not delivered")
    .map(({ message }) => message);
