/** How a turn goes beside its fellows': the first failure stops new starts, and started ones finish. */
import type { GateAnswer } from "./gateAnswer";
import type { PlannedStep } from "./turns";

/** Failures of this run's turns, by node, shared by all of a wave. */
export type Failures = Map<string, string>;

/** What one turn does, and how it is told. */
export interface TurnWork {
  readonly node: string;
  readonly fellows: readonly string[];
  readonly steps: readonly PlannedStep[];
  /** @returns nothing where the turn is over already @throws with what does not hold */
  ask(): Promise<GateAnswer | undefined>;
  /** @returns the step's result @throws with what it said of its failure */
  run(step: PlannedStep): Promise<string>;
  /** Whether somebody still waits for this turn: a killed engine leaves its providers behind. */
  isWanted(): Promise<boolean>;
  tell(message: string): Promise<void>;
  warn(message: string): Promise<void>;
}

/** What a turn has left. */
export interface TurnLeft {
  readonly answer?: GateAnswer;
  /** By step. */
  readonly results: ReadonlyMap<string, string>;
  /** Why it did not end; empty where it did. */
  readonly failed: string;
}

/**
 * Runs one turn to its end or its first failure, which it notes in `failures`. Never throws. What it tells begins with the
 * step's name in the plan and what became of it: the live view reads that (report/live/engineEvents.ts).
 */
export async function runTurn(work: TurnWork, failures: Failures): Promise<TurnLeft> {
  const { node, fellows, steps } = work;
  const results = new Map<string, string>();
  let answer: GateAnswer | undefined;
  let at = "turn-gate";
  const mayBegin = () => {
    const first = fellows.find((fellow) => failures.has(fellow));
    if (first) throw new Error(`not begun: ${first} failed first\n  next: mend that one`);
  };
  const told = async <T>(action: () => Promise<T>): Promise<T> => {
    await work.tell(`${node}-${at}: begun`);
    const result = await action();
    await work.tell(`${node}-${at}: done`);
    return result;
  };
  try {
    mayBegin();
    answer = await told(work.ask);
    for (const step of steps) {
      at = step.id;
      if (!(await work.isWanted()))
        throw new Error("the engine of this run is gone\n  next: run pulumi up again");
      // The first step marks the node: with it the turn begins, and one that has begun is finished.
      if (step === steps[0]) mayBegin();
      results.set(step.id, await told(() => work.run(step)));
    }
    return { answer, results, failed: "" };
  } catch (error) {
    const failed = error instanceof Error ? error.message : String(error);
    failures.set(node, failed);
    await work.warn(`${node}-${at}: failed; fellows that have begun finish their turns. ${failed}`);
    return { answer, results, failed };
  }
}

/**
 * What stops the run after a wave: every turn that failed or was not begun, each with its message.
 * @param unfinished nodes that the cluster does not show as done now
 */
export function waveRefusal(
  wave: readonly string[],
  failures: Failures,
  unfinished: readonly string[],
): string | undefined {
  const open = wave.filter((node) => failures.has(node) || unfinished.includes(node));
  if (open.length === 0) return undefined;
  const why = (node: string) =>
    failures.get(node) ??
    "not on the wanted version, or still marked as in its turn\n  next: kubectl describe node it";
  return [
    `${open.length} of the wave's ${wave.length} agents are not done: ${open.join(", ")}. The others finished; later waves were not touched.`,
    ...open.map((node) => `- ${node}: ${why(node)}`),
    "Mend it and run pulumi up again: it goes on with these.",
  ].join("\n");
}
