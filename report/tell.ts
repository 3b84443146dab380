/** Telling people, from the commands of a change: the channels of its stack over the log in its folder. */
import type { Settings } from "../config";
import type { ChannelSecrets } from "../notify/channels";
import { readLines, type Telling, tellings } from "../notify/log";
import { CHANNELS } from "../notify/message";
import { newMessage, outboxOf, queue } from "../notify/notifier";
import type { Patience } from "../notify/outbox";
import { writeRecords } from "./chain";
import { notificationsRecord } from "./grown";
import { channelSecrets } from "./notifySecrets";
import type { StackChoice } from "./pulumi";
import type { ReportRecord } from "./reportSchema";
import { inventoryOwed } from "./told";

/** A command that does something else waits so long, milliseconds, for what is owed to go. */
const BESIDE_MS = 20_000;
/** And tries twice. */
const BESIDE: Patience = { pausesMs: [2_000], tryMs: 8_000 };

/** Whether any channel is set. */
export const tellsAnybody = ({ notifications }: Pick<Settings, "notifications">): boolean =>
  CHANNELS.some((name) => notifications[name]);

/**
 * Sends what is owed from before, and the versions that the inventory does not have yet.
 * @param resume false where all that is owed was tried just now
 * @returns whether anything was tried
 */
export async function tellOwed(
  directory: string,
  settings: Settings,
  choice: StackChoice,
  report: Pick<ReportRecord, "nodes">,
  { resume }: { readonly resume: boolean },
): Promise<boolean> {
  if (!tellsAnybody(settings)) return false;
  const before = tellings(readLines(directory));
  const versions = settings.notifications.glpi?.inventory ? inventoryOwed(report, before) : undefined;
  const owes = resume && before.some(({ outcome }) => outcome === "not delivered");
  if (!versions && !owes) return false;
  const secrets: ChannelSecrets = await channelSecrets(settings, choice);
  const outbox = outboxOf(settings, directory, secrets, BESIDE);
  if (resume) outbox.resume();
  if (versions) {
    const text = Object.entries(versions).map(([node, version]) => `${node} runs RKE2 ${version}`);
    queue(
      outbox,
      settings,
      newMessage(settings, "inventory", {
        subject: `${settings.changeId}: versions for the inventory`,
        text: text.join("\n"),
        versions,
      }),
    );
  }
  await outbox.settled(BESIDE_MS);
  return true;
}

/** The log joins the chain. @returns what became of every message, and the chain's head */
export async function keepTold(directory: string): Promise<{ all: Telling[]; head: string }> {
  const head = await writeRecords(directory, await notificationsRecord(directory));
  return { all: tellings(readLines(directory)), head };
}
