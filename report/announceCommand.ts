/** `npm run change -- announce` and `notify`: tells people in advance, and what is still owed to them. */
import { calendarFile } from "../notify/calendar";
import { readLines, type Telling, tellings } from "../notify/log";
import { newMessage, outboxOf, queue } from "../notify/notifier";
import type { Patience } from "../notify/outbox";
import { channelsFor } from "../notify/recipients";
import { announcedFor, announcementOf } from "./announcement";
import { headLine, writeRecords } from "./chain";
import { changeDirectory, planNames } from "./directory";
import { readPlan } from "./files";
import { soundSecrets } from "./notifySecrets";
import { directionOf } from "./plan";
import type { StackOptions } from "./planCommand";
import { chosenStack } from "./pulumi";
import { refuseSecond } from "./session";
import { readStack } from "./stackConfig";
import { takeIn } from "./takeIn";
import { keepTold, tellsAnybody } from "./tell";
import { toldLine, toldOfLog } from "./told";
import { verify } from "./verify";

interface TellingOptions extends StackOptions {
  /** How often and how long a channel is tried; the outbox's own where absent, as on the command line. */
  readonly patience?: Patience;
}

export interface AnnounceOptions extends TellingOptions {
  readonly at?: string;
}

export interface NotifyOptions extends TellingOptions {
  readonly retry?: boolean;
}

/** The calendar entry in the change's folder. */
const CALENDAR_FILE = "announcement.ics";

/** A command whose whole work it is waits so long, milliseconds: five tries, and the pauses between them. */
const ALL_TRIES_MS = 120_000;

const NO_CHANNEL =
  "no channel is set that would tell it. next: set notifications.smtp, .webhook or .glpi in the stack's config (docs/config.md)";

/** Where the command works, and with what. */
async function settingOf(options: StackOptions) {
  const stack = await chosenStack(options.stack);
  const { settings, file } = readStack(stack, options.configFile);
  const directory = changeDirectory(settings.changeId, options.out);
  return { settings, directory, stack, choice: { stack, configFile: file } };
}

/** The command. */
export async function announce(options: AnnounceOptions): Promise<void> {
  const { settings, directory, stack, choice } = await settingOf(options);
  const direction = directionOf(settings);
  const plan = await readPlan(directory, direction);
  if (!plan)
    throw new Error(
      `${directory} holds no change request for this (${direction}). next: npm run change -- plan`,
    );
  const channels = channelsFor(settings, "announcement");
  if (channels.length === 0) throw new Error(NO_CHANNEL);
  const span = announcedFor(settings, plan.expectedSeconds, new Date(), options.at);
  await refuseSecond(directory);
  // The page goes out as what is to be approved: it must be what was written.
  const { faults } = await verify(directory);
  if (faults.length > 0)
    throw new Error([...faults, "next: npm run change -- plan, then announce that"].join("\n"));
  const secrets = await soundSecrets(settings, choice);
  const words = announcementOf(plan, span);
  const earlier = new Set(
    tellings(readLines(directory)).flatMap(({ message }) =>
      message.kind === "announcement" ? [message.id] : [],
    ),
  );
  const { smtp } = settings.notifications;
  if (smtp) {
    const entry = {
      changeId: plan.changeId,
      stack,
      direction,
      ...span,
      summary: words.subject,
      text: words.text,
    };
    const content = calendarFile({
      ...entry,
      organizer: smtp.from,
      sequence: earlier.size,
      madeAt: new Date(),
    });
    await writeRecords(directory, [{ what: "calendar entry", file: CALENDAR_FILE, content }]);
  }
  const message = newMessage(settings, "announcement", {
    ...words,
    window: { start: span.start.toISOString(), end: span.end.toISOString() },
    files: [planNames(direction).page],
    ...(smtp && { calendar: CALENDAR_FILE }),
  });
  const outbox = outboxOf(settings, directory, secrets, options.patience);
  queue(outbox, settings, message);
  await outbox.settled(ALL_TRIES_MS);
  const { all, head } = await keepTold(directory);
  console.log(words.subject);
  say(all.filter(({ message: { id }, outcome }) => id === message.id || outcome === "not delivered"));
  console.log(headLine(head));
}

/** The command: shows what was told; with --retry it sends what is owed. */
export async function notify(options: NotifyOptions): Promise<void> {
  const { settings, directory, choice } = await settingOf(options);
  if (options.retry) {
    await refuseSecond(directory);
    await takeIn(directory);
    if (!tellsAnybody(settings)) throw new Error(NO_CHANNEL);
    const outbox = outboxOf(settings, directory, await soundSecrets(settings, choice), options.patience);
    outbox.resume();
    await outbox.settled(ALL_TRIES_MS);
    console.log(headLine((await keepTold(directory)).head));
  }
  const all = tellings(readLines(directory));
  if (all.length === 0) console.log(`${settings.changeId}: nobody was told of anything yet`);
  say(all);
}

/** A line each; what was not delivered makes the command fail. */
function say(all: readonly Telling[]): void {
  const told = toldOfLog(all);
  for (const one of told) console.log(`${one.at}  ${toldLine(one)}`);
  if (told.every(({ outcome }) => outcome !== "not delivered")) return;
  console.error("next: mend what is said above, then npm run change -- notify --retry");
  process.exitCode = 1;
}
