/** Those who are told what a run says of itself. Nothing of it holds the run: what cannot be told is said in its log. */
import type { Settings } from "../config";
import { type Notifier, notifier } from "../notify/notifier";
import type { Patience } from "../notify/outbox";
import type { Run } from "./evidenceSchema";
import type { RunEvent } from "./live/event";
import { channelSecrets } from "./notifySecrets";
import type { StackChoice } from "./pulumi";
import { tellsAnybody } from "./tell";

/** How long a run bears with those who do not answer. */
export interface Waits {
  /** How often and how long a channel is tried; the outbox's own where absent. */
  readonly patience?: Patience;
  /** At its end a run waits so long, milliseconds, for what is still on its way. */
  readonly atTheEndMs: number;
}

const WAITS: Waits = { atTheEndMs: 30_000 };

export interface Sinks {
  tell(event: RunEvent): void;
  /** Until all is sent, or for so long as a run waits at its end. */
  settled(): Promise<void>;
}

/**
 * The sinks of a run.
 * @param settings as they were when it began; undefined where they could not be read
 * @param run says who approved it: that is told at its beginning (procedure §2.3, Change Request Approval)
 * @param waits our own where absent
 */
export async function sinks(
  directory: string,
  settings: Settings | undefined,
  choice: StackChoice,
  { approvedBy, approval }: Pick<Run, "approvedBy" | "approval">,
  { patience, atTheEndMs }: Waits = WAITS,
): Promise<Sinks> {
  const all: Notifier[] = [];
  try {
    if (!settings) throw new Error(`${choice.configFile} cannot be read`);
    if (tellsAnybody(settings))
      all.push(notifier(settings, directory, await channelSecrets(settings, choice), patience));
  } catch (error) {
    console.error(`nobody is told of this run: ${(error as Error).message}`);
  }
  return {
    tell: (event) => {
      const begins = event.kind === "start" || event.kind === "rollback";
      const text = begins ? `${event.text}\napproved by ${approvedBy}, ${approval}` : event.text;
      for (const sink of all) sink({ ...event, text });
    },
    settled: async () => {
      await Promise.all(all.map((sink) => sink.settled(atTheEndMs)));
    },
  };
}
