/** What a change request is for, as its title has it. Pure. */
import { describeMoves } from "../config";
import type { PlanRecord } from "./planSchema";

/** Of a change request, what tells where it goes. */
type Goal = Pick<PlanRecord, "direction" | "from" | "to" | "operators">;

/** The operators that move where nothing else does; undefined where something does, or none moves. */
export const operatorsAlone = ({
  direction,
  operators = [],
}: Pick<Goal, "direction" | "operators">): string | undefined =>
  direction === "settled" && operators.length > 0 ? describeMoves(operators) : undefined;

export function goalOf(plan: Goal): string {
  const alone = operatorsAlone(plan);
  if (alone) return `${alone}; RKE2 stays on ${plan.to}`;
  return plan.direction === "settled" ? `settled on ${plan.to}` : `${plan.from} → ${plan.to}`;
}
