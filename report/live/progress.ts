/** How far a run has come, from the engine's words and the plan. Pure; whatever order the words come in, it is the same. */
import { isGate, isTurn, turnOf } from "../lanes";
import type { PlanRecord } from "../planSchema";
import { stepOf } from "../stepName";
import type { StepEvent } from "./engineEvents";

/** In this order: none ever goes back. */
export const STATES = ["waiting", "at work", "done", "failed"] as const;
export type State = (typeof STATES)[number];

/** A step that the engine has spoken of. */
export interface StepProgress {
  readonly state: State;
  /** Milliseconds. */
  readonly beganAt?: number;
  readonly endedAt?: number;
  /** false: it was done in an earlier run, and this one found it so. */
  readonly worked: boolean;
}

/** By the IDs of the plan's steps; what is not in it waits. */
export type Progress = ReadonlyMap<string, StepProgress>;

export type PlanStep = PlanRecord["steps"][number];
export type Plan = Pick<PlanRecord, "steps" | "nodes" | "operators">;

const AFTER: Record<StepEvent["what"], State> = { begun: "at work", done: "done", failed: "failed" };

const WAITING: StepProgress = { state: "waiting", worked: false };

export const progressOf = (progress: Progress, id: string): StepProgress => progress.get(id) ?? WAITING;

/** The progress after one more word. @param ids the plan's steps: a resource that is none of them changes nothing */
export function advance(progress: Progress, ids: ReadonlySet<string>, event: StepEvent): Progress {
  const id = stepOf(event.name, ids);
  if (id !== undefined) return withStep(progress, id, event);
  // A turn in a wave is one resource, and tells its steps itself, but where an earlier run has done it.
  const node = event.what === "done" && !event.worked ? /^(.+)-turn$/.exec(event.name)?.[1] : undefined;
  if (node === undefined) return progress;
  return [...ids]
    .filter((one) => turnOf(one) === node)
    .reduce((before, one) => withStep(before, one, event), progress);
}

function withStep(progress: Progress, id: string, event: StepEvent): Progress {
  const before = progressOf(progress, id);
  const [began, ended] = event.what === "begun" ? [event.at, undefined] : [undefined, event.at];
  return new Map(progress).set(id, {
    state: furthest(before.state, AFTER[event.what]),
    beganAt: earliest(before.beganAt, began),
    endedAt: earliest(before.endedAt, ended),
    worked: before.worked || event.worked,
  });
}

const furthest = (a: State, b: State): State => (STATES.indexOf(a) > STATES.indexOf(b) ? a : b);

const earliest = (a: number | undefined, b: number | undefined): number | undefined =>
  a === undefined || b === undefined ? (a ?? b) : Math.min(a, b);

/** A node's turn; where the plan has no turns (a run that only proves), all that is done on it. */
export function turnSteps({ steps }: Plan, node: string): PlanStep[] {
  const own = steps.filter((step) => step.node === node);
  const turn = own.filter(isTurn);
  return turn.length > 0 ? turn : own;
}

/** How far a node has come. */
export function nodeState(plan: Plan, progress: Progress, node: string): State {
  const states = turnSteps(plan, node).map(({ id }) => progressOf(progress, id).state);
  if (states.includes("failed")) return "failed";
  if (states.length > 0 && states.every((state) => state === "done")) return "done";
  return states.every((state) => state === "waiting") ? "waiting" : "at work";
}

/** Whether more than questions was asked of a node in its turn. */
export const isTouched = (plan: Plan, progress: Progress, node: string): boolean =>
  turnSteps(plan, node).some(({ id }) => !isGate(id) && progressOf(progress, id).state !== "waiting");

/** Whether this run itself did a node's turn, rather than finding it done or only asking its gate again. */
export const isWorked = (plan: Plan, progress: Progress, node: string): boolean =>
  turnSteps(plan, node).some(({ id }) => !isGate(id) && progressOf(progress, id).worked);

/** The steps at work, in the plan's order. */
export const atWork = ({ steps }: Plan, progress: Progress): PlanStep[] =>
  steps.filter(({ id }) => progressOf(progress, id).state === "at work");

/** How many of how many steps are done. */
export const position = ({ steps }: Plan, progress: Progress): { done: number; of: number } => ({
  done: steps.filter(({ id }) => progressOf(progress, id).state === "done").length,
  of: steps.length,
});
