/** What is to be done if the run fails now, and what that would cost (procedure §4.3, §6.2). Pure. */
import {
  describeLoss,
  describeMovesBack,
  goBackCommands,
  openAt,
  type Settings,
  waysBack,
} from "../../config";
import { directionOf } from "../plan";
import { atWork, isTouched, nodeState, type Plan, type Progress } from "./progress";

export interface IfItFails {
  /** What to do, a line each; the mildest first. */
  readonly next: readonly string[];
  /** What going back would lose. */
  readonly lost: string;
  /** The age of the etcd snapshot off its node that going back would go to; undefined where there is none. */
  readonly snapshotAgeSeconds?: number;
  readonly objectiveSeconds: number;
  /** Undefined where no window is open. */
  readonly windowMinutesLeft?: number;
  /** The window in words, where there is no number of minutes. */
  readonly window: string;
}

const AGAIN = "mend the cause, then npm run change -- apply: it goes on where it stopped";

/** @param takenAt when the etcd snapshot that going back would go to was begun */
export function ifItFails(
  settings: Settings,
  plan: Plan,
  progress: Progress,
  now: Date,
  takenAt: Date | undefined,
): IfItFails {
  const ageMs = takenAt && now.getTime() - takenAt.getTime();
  const open = openAt(settings.windows, now);
  return {
    ...stepsOf(settings, plan, progress, ageMs),
    snapshotAgeSeconds: ageMs === undefined ? undefined : Math.round(ageMs / 1000),
    objectiveSeconds: settings.objectives.rpoMinutes * 60,
    windowMinutesLeft: open && Math.floor((open.end.getTime() - now.getTime()) / 60_000),
    window: windowOf(settings, open !== undefined),
  };
}

function stepsOf(
  settings: Settings,
  plan: Plan,
  progress: Progress,
  ageMs: number | undefined,
): Pick<IfItFails, "next" | "lost"> {
  const direction = directionOf(settings);
  if (direction === "settled") {
    const { operators = [] } = plan;
    return {
      next: [AGAIN, ...describeMovesBack(operators)],
      lost:
        [...new Set(operators.map(({ lost }) => lost))].join("; ") || "nothing: this run installs nothing",
    };
  }
  if (direction === "going back")
    return {
      next: [`${AGAIN} (docs/goBack.md)`],
      lost: describeLoss(settings, ageMs).slice(1).join("; ").trim(),
    };
  const names = plan.nodes.map(({ name }) => name);
  if (!names.some((name) => isTouched(plan, progress, name)))
    return { next: [AGAIN], lost: "nothing: no node has been touched" };
  // What is at work is what would fail: the node in its turn, as if it were down.
  const sick = names.filter((name) => ["at work", "failed"].includes(nodeState(plan, progress, name)));
  const ways = waysBack(settings, { sick, silent: [], backupAgesMs: { restore: ageMs, rollback: ageMs } });
  const later = names.filter((name) => nodeState(plan, progress, name) === "waiting").length;
  const where = atWork(plan, progress)[0]?.node ?? "where it is";
  return {
    next: [
      `it stops at ${where}, ${later} nodes stay untouched: ${AGAIN}`,
      ...ways.map((way) => `if it must go back (${way.why}): ${goBackCommands(way, settings).join("; ")}`),
    ],
    lost: ways.map(({ loses }) => loses).join("; or ") || "nothing",
  };
}

function windowOf({ windows, windowOverride, changeId }: Settings, open: boolean): string {
  if (windows.length === 0) return "none is configured";
  if (open) return "open";
  return windowOverride === changeId ? "closed; this change may leave it" : "closed";
}
