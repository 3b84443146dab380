/** A plan as the numbered lines that preview prints. */
import { PHASES, type Phase, type Step } from "./plan";

const headings: Record<Phase, string> = {
  change: "The change",
  preflight: "Before anything changes",
  artifacts: "Artifacts",
  "way-back": "The way back",
  servers: "Servers, one at a time",
  settle: "Before the agents",
  agents: "Agents, one at a time",
  validation: "Validation",
  acceptance: "Acceptance",
  record: "The record",
};

/**
 * The plan in lines: a heading for each phase, a line `node: from → to` where a node's upgrade begins, and numbered
 * steps with their limits. Steps that run side by side share a line.
 * @param from the accepted version
 * @param to the wanted version; equal to `from` in a settled plan
 */
export function describePlan(plan: readonly Step[], from: string, to: string): string[] {
  let ordinal = 0;
  return PHASES.flatMap((phase) => {
    const rows = rowsOf(plan.filter((step) => step.phase === phase));
    if (rows.length === 0) return [];
    let node: string | undefined;
    const lines = rows.flatMap(([first, ...others]) => {
      if (!first) return [];
      const upgraded = (phase === "servers" || phase === "agents") && first.node !== node;
      node = first.node;
      ordinal += 1;
      const move = from === to ? `stays on ${to}` : `${from} → ${to}`;
      return [...(upgraded ? [`  ${first.node}: ${move}`] : []), describeRow(ordinal, first, others)];
    });
    return [headings[phase], ...lines];
  });
}

/** One line of a list that may be long: the number in three columns, who, what, and the limit. */
function describeRow(ordinal: number, first: Step, others: readonly Step[]): string {
  const nodes = [first, ...others].flatMap((step) => step.node ?? []);
  const who = nodes.length > 0 ? `${nodes.join(", ")}: ` : "";
  const expected = first.expectedSeconds === undefined ? "" : `${duration(first.expectedSeconds)}, `;
  return `  ${String(ordinal).padStart(3)}. ${who}${first.title} (${expected}at most ${duration(first.boundSeconds)})`;
}

/** Neighbouring steps of one group in one row, every other step in a row of its own. */
function rowsOf(steps: readonly Step[]): Step[][] {
  const rows: Step[][] = [];
  for (const step of steps) {
    const last = rows.at(-1);
    if (step.together && last?.[0]?.together === step.together) last.push(step);
    else rows.push([step]);
  }
  return rows;
}

/** Seconds for people: `45 s`, `5 min`, `2 min 30 s`. */
export function duration(seconds: number): string {
  const [minutes, rest] = [Math.floor(seconds / 60), seconds % 60];
  if (minutes === 0) return `${rest} s`;
  return rest === 0 ? `${minutes} min` : `${minutes} min ${rest} s`;
}
