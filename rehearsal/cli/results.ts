/** A stack's exported state, as far as the table needs it. */
interface Deployment {
  readonly deployment: {
    readonly resources?: readonly {
      readonly type: string;
      readonly outputs?: { readonly stdout?: unknown; readonly cost?: Spent };
    }[];
  };
}

/** What looking cost: of a gate, or of all of them. */
interface Spent {
  readonly seconds: number;
  readonly sshSessions: number;
  readonly apiCalls: number;
}

/**
 * The time that a change's checks took, and that all of its steps took, by their own word. A gate that is a step on a
 * node is one session; its requests are made there and not counted.
 */
export function timeSpent(exported: string): { checks: Spent; all: number } {
  const { deployment } = JSON.parse(exported) as Deployment;
  const steps = stepResults(exported);
  const gates = (deployment.resources ?? []).flatMap(({ outputs }) => outputs?.cost ?? []);
  const onNodes = steps
    .filter(({ step }) => step.startsWith("gate-"))
    .map(({ seconds }) => ({ seconds, sshSessions: 1, apiCalls: 0 }));
  const sum = (rows: readonly Spent[], key: keyof Spent) => rows.reduce((total, row) => total + row[key], 0);
  const each = [...gates, ...onNodes];
  const checks = {
    seconds: sum(each, "seconds"),
    sshSessions: sum(each, "sshSessions"),
    apiCalls: sum(each, "apiCalls"),
  };
  const all = steps.reduce((total, { seconds }) => total + seconds, 0) + sum(gates, "seconds");
  return { checks, all };
}

/** As one line: `checks: 31 s of 402 s (8 %), 39 SSH sessions, 241 API calls`. */
export const describeSpent = ({ checks, all }: ReturnType<typeof timeSpent>): string =>
  `checks: ${Math.round(checks.seconds)} s of ${Math.round(all)} s (${Math.round((checks.seconds / all) * 100)} %), ${checks.sshSessions} SSH sessions, ${checks.apiCalls} API calls`;

/** The JSON object that each step on a node prints last. */
interface StepResult {
  readonly step: string;
  readonly node: string;
  readonly startedAt: string;
  readonly seconds: number;
}

function resultOf(stdout: unknown): StepResult | undefined {
  if (typeof stdout !== "string") return undefined; // a secret step's output is not for a table
  try {
    const last = JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as Partial<StepResult>;
    return last.step && last.node && last.seconds !== undefined ? (last as StepResult) : undefined;
  } catch {
    return undefined;
  }
}

/** What the steps of a change said of themselves, oldest first. */
export function stepResults(exported: string): StepResult[] {
  const { deployment } = JSON.parse(exported) as Deployment;
  return (deployment.resources ?? [])
    .flatMap(({ outputs }) => resultOf(outputs?.stdout) ?? [])
    .sort((a, b) => a.startedAt.localeCompare(b.startedAt));
}

/** A node's line in the stack's version manifest. */
export interface NodeVersions {
  readonly before: string;
  readonly after: string;
}

/**
 * The table of nodes: versions before and after, seconds in all and for each step.
 * @param manifest the stack's output of that name, by node
 */
export function table(
  manifest: Readonly<Record<string, NodeVersions>>,
  steps: readonly StepResult[],
): string {
  const rows = Object.entries(manifest).map(([node, { before, after }]) => {
    const own = steps.filter((step) => step.node === node);
    const total = own.reduce((sum, { seconds }) => sum + seconds, 0);
    const each = own.map(({ step, seconds }) => `${step} ${Math.round(seconds)}`).join(", ");
    return [node, before, after, String(Math.round(total)), each];
  });
  return columns([["node", "before", "after", "seconds", "by step"], ...rows]);
}

/** Aligns rows of cells in columns. */
function columns(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
