/** What is told, and how it is kept until it is delivered. */
import { z } from "zod";
import { NOTIFIED } from "../config";

/** The channels there are; each is set by the key of the same name in `notifications`. */
export const CHANNELS = ["webhook", "smtp", "glpi"] as const;
export type ChannelName = (typeof CHANNELS)[number];

/** What a message is about: what the config's `events` may name, and the versions that go to GLPI's inventory. */
const kind = z.enum([...NOTIFIED, "inventory"]);
export type Kind = z.infer<typeof kind>;

export const messageSchema = z.strictObject({
  /** Stable from the first try to the last: receivers drop repeats by it. */
  id: z.string(),
  kind,
  at: z.string(),
  changeId: z.string(),
  node: z.string().optional(),
  subject: z.string(),
  text: z.string(),
  /** Mail addresses. */
  to: z.array(z.string()).optional(),
  /** Files of the change's folder that go along. */
  files: z.array(z.string()).optional(),
  /** The calendar entry, a file of the change's folder. */
  calendar: z.string().optional(),
  /** When a change is announced for. */
  window: z.strictObject({ start: z.string(), end: z.string() }).optional(),
  /** The change is over with it: its ticket is solved. */
  solves: z.literal(true).optional(),
  /** The release by node, for the inventory. */
  versions: z.record(z.string(), z.string()).optional(),
});
export type Message = z.infer<typeof messageSchema>;

const base = { at: z.string(), channel: z.enum(CHANNELS), id: z.string(), kind };

/** A line of notifications.jsonl: a message that is to be sent, or what became of one try. */
export const lineSchema = z.discriminatedUnion("outcome", [
  z.strictObject({ ...base, outcome: z.literal("queued"), message: messageSchema }),
  z.strictObject({ ...base, outcome: z.literal("delivered"), detail: z.string().optional() }),
  /** It is tried again. */
  z.strictObject({ ...base, outcome: z.literal("failed"), detail: z.string() }),
  /** The receiver will not take it, however often it is tried: given up. */
  z.strictObject({ ...base, outcome: z.literal("refused"), detail: z.string() }),
]);
export type Line = z.infer<typeof lineSchema>;

/** A way to tell somebody. */
export interface Channel {
  readonly name: ChannelName;
  /**
   * Delivers one message.
   * @returns what is worth knowing of it, such as the ticket's number
   * @throws Refused where trying again is useless, any other error where it is not
   */
  deliver(message: Message, signal: AbortSignal): Promise<string | undefined>;
}

/** The receiver will not take this message, whenever it comes. */
export class Refused extends Error {}
