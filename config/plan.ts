/** A plan as data (the ordered steps of a run, which components/ decide) and as the lines that preview prints. */

import { totalSeconds } from "./durations";

/** The parts of a change, in their order. */
export const PHASES = [
  "change",
  "preflight",
  "artifacts",
  "way-back",
  "operators-before",
  "servers",
  "settle",
  "agents",
  "operators-after",
  "validation",
  "standstill",
  "rollback",
  "data",
  "back-servers",
  "back-agents",
  "proof",
  "acceptance",
  "record",
] as const;
export type Phase = (typeof PHASES)[number];

/** One step. Later steps wait for all earlier ones, save for those that share its `together`. */
export interface Step {
  /** Unique and stable, kebab-case: `<node>-<step>` on a node, else the step's name. Names the resource. */
  readonly id: string;
  readonly phase: Phase;
  /** The node that the step works on, where it works on one. */
  readonly node?: string;
  /** What it does, for people; begins with a verb. */
  readonly title: string;
  /** After this many seconds the step has failed. */
  readonly boundSeconds: number;
  /** How long it should take (durations.ts). */
  readonly expectedSeconds?: number;
  /** Where that is from: this cluster's own earlier runs, or the config. */
  readonly expectedFrom?: "measured" | "config";
  /** Steps of the same group run side by side. */
  readonly together?: string;
  /**
   * The wave of agents that it is part of. In a wave every node's steps go one after another, beside those of the others;
   * the wave's own steps come after.
   */
  readonly wave?: number;
}

const headings: Record<Phase, string> = {
  change: "The change",
  preflight: "Before anything changes",
  artifacts: "Artifacts",
  "way-back": "The way back",
  "operators-before": "Operators that go before Kubernetes",
  servers: "Servers, one at a time",
  settle: "Before the agents",
  agents: "Agents, one at a time",
  "operators-after": "Operators that go after Kubernetes",
  validation: "Validation",
  standstill: "Everything stops, and the accepted release is installed",
  rollback: "VMs go back to their snapshots",
  data: "etcd goes back to its snapshot",
  "back-servers": "Servers come back",
  "back-agents": "Agents come back",
  proof: "Proof",
  acceptance: "Acceptance",
  record: "The record",
};

/**
 * The plan in lines: a heading for each phase, a line `node: from → to` where a node's upgrade begins, and numbered
 * steps with their limits. Steps that run side by side share a line.
 * @param from the accepted version
 * @param to the wanted version
 */
export function describePlan(plan: readonly Step[], from: string, to: string): string[] {
  let ordinal = 0;
  return PHASES.flatMap((phase) => {
    const rows = rowsOf(plan.filter((step) => step.phase === phase));
    if (rows.length === 0) return [];
    let turn: string | number | undefined;
    const lines = rows.flatMap(([first, ...others]) => {
      if (!first) return [];
      const upgraded = (phase === "servers" || phase === "agents") && (first.wave ?? first.node) !== turn;
      turn = first.wave ?? first.node;
      ordinal += 1;
      return [
        ...(upgraded ? [describeTurn(plan, first, from, to)] : []),
        describeRow(ordinal, first, others),
      ];
    });
    const waves = phase === "agents" && rows.some(([first]) => first?.wave !== undefined);
    return [waves ? "Agents, in waves" : headings[phase], ...lines];
  });
}

/** Whose upgrade begins here: one node's, or a whole wave's with the time that it should take. */
function describeTurn(plan: readonly Step[], { node, wave }: Step, from: string, to: string): string {
  if (wave === undefined) return `  ${node}: ${from} → ${to}`;
  const steps = plan.filter((step) => step.wave === wave);
  const names = [...new Set(steps.flatMap((step) => step.node ?? []))];
  const waves = new Set(plan.flatMap((step) => step.wave ?? [])).size;
  const canary = steps.some(({ id }) => id === "canary-soak") ? ", the canary" : "";
  const expected = steps.some(({ expectedSeconds }) => expectedSeconds !== undefined)
    ? ` (${duration(totalSeconds(steps))})`
    : "";
  return `  wave ${wave} of ${waves}${canary}, ${names.length} at once: ${names.join(", ")}: ${from} → ${to}${expected}`;
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

/** Seconds for people: `45 s`, `5 min`, `2 min 30 s`, and from three hours on `3 h 20 min`. */
export function duration(seconds: number): string {
  const [minutes, rest] = [Math.floor(seconds / 60), seconds % 60];
  if (minutes >= 180) return `${Math.floor(minutes / 60)} h${minutes % 60 ? ` ${minutes % 60} min` : ""}`;
  if (minutes === 0) return `${rest} s`;
  return rest === 0 ? `${minutes} min` : `${minutes} min ${rest} s`;
}
