import type { ProviderContext } from "../providerConfig";
import { runStep } from "../runStep";
import type { BackPhase, BackStep } from "./phases";
import { placeBackup } from "./placeBackup";
import { rollBackNode } from "./vmRollback";

/** Whose steps, of which attempt. */
export interface Whose {
  readonly context: ProviderContext;
  readonly owner: string;
  readonly attempt: number;
}

/** Runs phases now, from a provider, in the order in which a component lays them out. */
export async function runPhases(whose: Whose, phases: readonly BackPhase[]): Promise<void> {
  for (const { lanes } of phases) {
    const ended = await Promise.allSettled(lanes.map((lane) => runLane(whose, lane)));
    const failed = ended.flatMap((one) => (one.status === "rejected" ? [String(one.reason?.message)] : []));
    if (failed.length > 0) throw new Error(failed.join("\n"));
  }
}

async function runLane(whose: Whose, lane: readonly BackStep[]): Promise<void> {
  for (const step of lane) await runOne(whose, step);
}

async function runOne({ context, owner, attempt }: Whose, step: BackStep): Promise<void> {
  switch (step.kind) {
    case "command":
      await runStep(context, owner, step.planned, { attempt });
      return;
    case "place":
      await placeBackup(context, step.node, attempt);
      return;
    case "rollback":
      await rollBackNode(context, step.node, attempt);
      return;
  }
}
