/** What a run tells of itself, from its progress. Pure. */
import { duration } from "../../config";
import { operatorsAlone } from "../goal";
import { isGate } from "../lanes";
import type { PlanRecord } from "../planSchema";
import type { RunEvent } from "./event";
import { isWorked, nodeState, type Progress, progressOf } from "./progress";

/** Of a change request what is told. */
type Told = Pick<
  PlanRecord,
  "changeId" | "direction" | "from" | "to" | "operators" | "steps" | "nodes" | "expectedSeconds"
>;

/** A run has begun. */
export function begun(plan: Told, at: string, run: number, by: string): RunEvent {
  const alone = operatorsAlone(plan);
  const does = {
    upgrade: `upgrading RKE2 ${plan.from} → ${plan.to}`,
    "going back": `going back, RKE2 ${plan.from} → ${plan.to}`,
    settled: alone
      ? `moving ${alone}, then proving RKE2 ${plan.to} on every node`
      : `proving RKE2 ${plan.to} on every node; nothing is installed`,
  }[plan.direction];
  const kind = plan.direction === "going back" ? "rollback" : "start";
  const text = `${does}: run ${run}, by ${by}; ${plan.nodes.length} nodes, about ${duration(plan.expectedSeconds)} in all`;
  return { at, kind, changeId: plan.changeId, text };
}

/** That this run has done a node between two moments; one that it found done is not told again. */
export function nodeDone(
  plan: Told,
  node: string,
  before: Progress,
  after: Progress,
  at: string,
): RunEvent | undefined {
  const isDone = (progress: Progress, name: string) => nodeState(plan, progress, name) === "done";
  if (!isDone(after, node) || isDone(before, node) || !isWorked(plan, after, node)) return undefined;
  const names = plan.nodes.map(({ name }) => name);
  const done = names.filter((name) => isDone(after, name)).length;
  const next = names.find((name) => !isDone(after, name));
  return {
    at,
    kind: "nodeDone",
    changeId: plan.changeId,
    node,
    text: `${node} is proven on ${plan.to}; ${done} of ${names.length} nodes are done${next ? `, next is ${next}` : ""}`,
  };
}

/** A run has ended. @param errors what its engine said of its failures */
export function ended(
  plan: Told,
  progress: Progress,
  at: string,
  code: number,
  errors: readonly string[],
): RunEvent {
  const base = { at, changeId: plan.changeId };
  if (code === 0) {
    const next = {
      upgrade: "next: look, then accept the version, or go back",
      "going back": "next: set rke2Version to acceptedVersion, unset goBack",
      settled: "nothing is left to do",
    }[plan.direction];
    return {
      ...base,
      kind: "done",
      text: `every step is done: ${[operatorsAlone(plan), `RKE2 ${plan.to}`, next].filter(Boolean).join("; ")}`,
    };
  }
  const failed = plan.steps.find(({ id }) => progressOf(progress, id).state === "failed");
  const said = oneLine(errors[0] ?? "it ended without saying why: see its log");
  const again = "next: mend the cause, then npm run change -- apply";
  return {
    ...base,
    kind: failed && isGate(failed.id) ? "held" : "failed",
    ...(failed?.node && { node: failed.node }),
    text: `${failed ? `${failed.id}: ` : ""}${said}; ${again}`,
  };
}

/** What a failure said first; the whole of it stands in the run's record. */
const oneLine = (text: string): string => {
  const line = text.replace(/\s+/g, " ").trim();
  return line.length > 400 ? `${line.slice(0, 399)}…` : line;
};
