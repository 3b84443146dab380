/**
 * Every run of a change: those of Pulumi's history, and those that change apply began and the history knows nothing of. An
 * engine writes its entry when it ends; one that was killed, or lost its machine, has none. Pure.
 */
import type { Evidence, Run, Update } from "./evidenceSchema";

/** One run: as Pulumi tells it, as change apply does, or both. */
export interface AnyRun {
  readonly startedAt: string;
  /** Absent where no end was written. */
  readonly endedAt?: string;
  readonly update?: Update;
  readonly own?: Run;
}

/** The first one first. */
export function allRuns({ updates, runs }: Pick<Evidence, "updates" | "runs">): AnyRun[] {
  const told = updates.map((update): AnyRun => {
    const own = runs.find((run) => isRunOf(run, update));
    return { startedAt: update.startedAt, endedAt: update.endedAt || undefined, update, own };
  });
  const known = new Set(told.map(({ own }) => own));
  const untold = runs
    .filter((run) => !known.has(run))
    .map((own): AnyRun => ({ startedAt: own.startedAt, endedAt: own.endedAt, own }));
  // Pulumi's clock has whole seconds, and a run begins before its update.
  const order = ({ startedAt, update }: AnyRun) => `${startedAt.slice(0, 19)}${update ? 1 : 0}`;
  return [...told, ...untold].sort((a, b) => (order(a) < order(b) ? -1 : 1));
}

/** What Pulumi's history does not tell of a run, in words. */
export function untoldResult({ own }: AnyRun): string {
  if (own?.begun === false) return "not begun: nothing was touched";
  return own?.endedAt === undefined
    ? "killed, or still at work: no end was written"
    : `ended with ${own.code ?? "no code"}: Pulumi's history has no end of it`;
}

/**
 * A run of ours and Pulumi's record of it: the update begins within the run. One that was killed wrote no end, so whatever
 * came later may be another's.
 */
const isRunOf = (run: Run, { startedAt }: Update): boolean =>
  run.startedAt.slice(0, 19) <= startedAt.slice(0, 19) &&
  run.endedAt !== undefined &&
  startedAt <= run.endedAt;
