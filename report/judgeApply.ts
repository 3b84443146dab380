/** What has changed between a plan and now, so that the plan must not be carried out. Pure. */
import { differences, versionsOf } from "./digest";
import type { PlanRecord } from "./planSchema";
import { furtherReaching, planDifferences } from "./pulumiPlan";

/** The plan that was approved, and the same made afresh. */
export interface Compared {
  readonly approved: PlanRecord;
  readonly approvedPlan: string;
  readonly now: PlanRecord;
  readonly nowPlan: string;
  /** A run of the approved plan has begun before: then nodes may be where it brings them. */
  readonly begun: boolean;
}

/** Every reason to refuse, a line each; empty where the plan still fits. */
export function movedSince({ approved, approvedPlan, now, nowPlan, begun }: Compared): string[] {
  return [
    ...(approved.stack === now.stack ? [] : [`the stack is ${now.stack}, the plan is of ${approved.stack}`]),
    ...differences("program:", approved.digest.files, now.digest.files),
    ...differences("config:", approved.digest.config, now.digest.config),
    ...nodesMoved(approved, now, begun),
    // A run that has begun has left another state: what is left is enforced then, if it is part of what was approved.
    ...(begun ? furtherReaching(approvedPlan, nowPlan) : planDifferences(approvedPlan, nowPlan)),
  ];
}

/** Nodes that run something else than when the plan was made, by their own word. */
function nodesMoved(approved: PlanRecord, now: PlanRecord, begun: boolean): string[] {
  const [before, after] = [approved, now].map(({ nodes }) =>
    versionsOf(Object.fromEntries(nodes.map((node) => [node.name, node.seen]))),
  ) as [Record<string, string>, Record<string, string>];
  return now.nodes.flatMap(({ name, to }) => {
    const [old = "not in the plan", found = "not measured"] = [before[name], after[name]];
    if (found === old) return [];
    // In its turn a node has the wanted release installed and the old one running, or none.
    if (begun && found.startsWith(`${to} `)) return [];
    return [`node ${name}: runs ${shown(found)}, ran ${shown(old)} when the plan was made`];
  });
}

/** As {@link versionsOf} writes it, for people. */
function shown(versions: string): string {
  if (!versions.startsWith("v")) return versions;
  const [disk, running] = versions.split(" ");
  return disk === running ? `${disk}` : `${running || "nothing"}, with ${disk} installed`;
}
