/** Tells what a run says of itself, by every channel that wants to know. It never stops or slows the run. */
import { randomUUID } from "node:crypto";
import { isChanging, type Settings } from "../config";
import type { RunEvent } from "../report/live/event";
import { type ChannelSecrets, channelsOf, scrubbing } from "./channels";
import type { Kind, Message } from "./message";
import { Outbox, type Patience } from "./outbox";
import { channelsFor, recipients } from "./recipients";

export type Told = Pick<
  Settings,
  "notifications" | "changeId" | "rke2Version" | "acceptedVersion" | "osPatch"
>;

/** Give it events; then wait, for so long at most, until they are sent. What is not sent then is sent by the next command. */
export interface Notifier {
  (event: RunEvent): void;
  settled(withinMs: number): Promise<void>;
}

/**
 * @param directory the change's folder: what is told, and what became of it, is kept there
 * @param patience how often and how long a channel is tried; our own where absent
 */
export function notifier(
  settings: Told,
  directory: string,
  secrets: ChannelSecrets,
  patience?: Patience,
): Notifier {
  const outbox = outboxOf(settings, directory, secrets, patience);
  outbox.resume();
  const notify = (event: RunEvent): void => {
    try {
      queue(outbox, settings, messageOf(settings, event));
    } catch (error) {
      // The folder cannot be written: the run goes on, its log says it.
      console.error(`nobody was told "${event.kind}": ${(error as Error).message}`);
    }
  };
  return Object.assign(notify, { settled: (withinMs: number) => outbox.settled(withinMs) });
}

/** The outbox of a change's folder. */
export const outboxOf = (
  settings: Told,
  directory: string,
  secrets: ChannelSecrets,
  patience?: Patience,
): Outbox =>
  new Outbox(directory, channelsOf(settings, secrets, directory), scrubbing(settings, secrets), patience);

/** Keeps a message for every channel that is to have it. */
export function queue(outbox: Outbox, settings: Told, message: Message): void {
  for (const channel of channelsFor(settings, message.kind)) {
    const to = channel === "smtp" ? { to: recipients(settings, message.kind) } : {};
    outbox.add(channel, { ...message, ...to });
  }
}

/** A message of a kind, new. */
export const newMessage = (
  { changeId }: Pick<Settings, "changeId">,
  kind: Kind,
  words: Pick<Message, "subject" | "text"> & Partial<Message>,
): Message => ({ id: `msg_${randomUUID()}`, kind, at: new Date().toISOString(), changeId, ...words });

function messageOf(settings: Told, { at, kind, node, text }: RunEvent): Message {
  const settled = !isChanging(settings);
  return newMessage(settings, kind, {
    at,
    node,
    subject: `${settings.changeId}: ${headline(kind, node)}`,
    text,
    ...(kind === "done" && settled && { solves: true }),
  });
}

/** A few words that stand in the subject. */
function headline(kind: RunEvent["kind"], node: string | undefined): string {
  switch (kind) {
    case "start":
      return "a run has begun";
    case "nodeDone":
      return `${node ?? "a node"} is done`;
    case "held":
      return `held${node ? ` before ${node}` : ""}`;
    case "failed":
      return `failed${node ? ` at ${node}` : ""}`;
    case "done":
      return "done";
    case "rollback":
      return "going back";
  }
}
