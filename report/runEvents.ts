/** What a run tells at its beginning and its end. Pure. */
import type { Run } from "./evidenceSchema";
import type { RunEvent } from "./live/event";
import type { PlanRecord } from "./planSchema";

/** A run has begun. @param plan the approved one */
export function beganEvent({ approvedBy, approval, startedAt }: Run, plan: PlanRecord): RunEvent {
  return {
    at: startedAt,
    kind: plan.direction === "going back" ? "rollback" : "start",
    changeId: plan.changeId,
    text: `${plan.summary} Approved by ${approvedBy}, ${approval}.`,
  };
}

/** What comes after a run that has done all of its plan. */
const AFTERWARDS: Record<PlanRecord["direction"], string> = {
  upgrade:
    "Every step is done; the way back is kept until the version is accepted. next: look at the cluster, then accept",
  "going back": "The cluster has gone back. next: look at it; docs/goBack.md says how the change is ended",
  settled: "Every node is proven, the way back is let go. next: nothing",
};

/** A run has ended. */
export function endedEvent({ code, errors, endedAt = "" }: Run, plan: PlanRecord): RunEvent {
  const base = { at: endedAt, changeId: plan.changeId };
  if (code === 0) return { ...base, kind: "done", text: `${plan.summary} ${AFTERWARDS[plan.direction]}` };
  const first = errors[0]?.split("\n")[0] ?? "it ended without saying why";
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : "";
  const next = "next: mend the cause, then npm run change -- apply goes on where it stopped";
  return { ...base, kind: "failed", text: `${first.slice(0, 500)}${more}\n${next}` };
}
