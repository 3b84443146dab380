import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A stack's exported state, as far as the table needs it. */
interface Deployment {
  readonly deployment: {
    readonly resources?: readonly {
      readonly type: string;
      readonly outputs?: { readonly stdout?: unknown; readonly askedAt?: string; readonly cost?: Spent };
    }[];
  };
}

/** What looking cost: of a gate, of what the program announces, or of all of it. */
interface Spent {
  readonly seconds: number;
  readonly sshSessions: number;
  readonly apiCalls: number;
}

/** The variable that names the file which the program writes what it saw to, and what that cost. */
const SEEN_FILE = "RKE2_UPGRADE_SEEN";

/** One `pulumi up`, as whoever started it saw it. */
export interface Upgrade {
  readonly began: Date;
  /** By the clock on the wall. */
  readonly seconds: number;
  /** What the program's own look cost, before its gates were asked. */
  readonly announced: Spent;
}

/** Takes the time of one `pulumi up`, and reads what its own look cost. @param up given what its environment needs */
export async function timed<T>(
  up: (env: NodeJS.ProcessEnv) => Promise<T>,
): Promise<{ result: T; upgrade: Upgrade }> {
  const folder = await mkdtemp(join(tmpdir(), "rehearsal-seen-"));
  try {
    const file = join(folder, "seen.json");
    const began = new Date();
    const result = await up({ [SEEN_FILE]: file });
    const seconds = (Date.now() - began.getTime()) / 1000;
    const { cost: announced } = JSON.parse(await readFile(file, "utf8")) as { cost: Spent };
    return { result, upgrade: { began, seconds, announced } };
  } finally {
    await rm(folder, { recursive: true });
  }
}

/**
 * What the checks of one `up` cost: the program's look, every gate that was asked in it, its looks whether it is done
 * included, and every gate that is a step on a node, its requests made there.
 */
export function checksCost(exported: string, { began, announced }: Upgrade): Spent {
  const { deployment } = JSON.parse(exported) as Deployment;
  // A step says when it began in whole seconds.
  const from = Math.floor(began.getTime() / 1000) * 1000;
  const gates = (deployment.resources ?? []).flatMap(({ outputs }) =>
    outputs?.cost && Date.parse(outputs.askedAt ?? "") >= from ? [outputs.cost] : [],
  );
  const onNodes = stepResults(exported)
    .filter(({ step, startedAt }) => step.startsWith("gate-") && Date.parse(startedAt) >= from)
    .map(({ seconds, apiCalls = 0 }) => ({ seconds, sshSessions: 1, apiCalls }));
  const each = [announced, ...gates, ...onNodes];
  const sum = (key: keyof Spent) => each.reduce((total, row) => total + row[key], 0);
  return { seconds: sum("seconds"), sshSessions: sum("sshSessions"), apiCalls: sum("apiCalls") };
}

/** As one line: `checks: 31 s of 402 s (8 %), 39 SSH sessions, 241 API calls`. */
export function describeSpent(exported: string, upgrade: Upgrade): string {
  const { seconds, sshSessions, apiCalls } = checksCost(exported, upgrade);
  const share = Math.round((seconds / upgrade.seconds) * 100);
  return `checks: ${Math.round(seconds)} s of ${Math.round(upgrade.seconds)} s (${share} %), ${sshSessions} SSH sessions, ${apiCalls} API calls`;
}

/** The JSON object that each step on a node prints last. */
interface StepResult {
  readonly step: string;
  readonly node: string;
  readonly startedAt: string;
  readonly seconds: number;
  /** What it asked of Kubernetes and etcd. */
  readonly apiCalls?: number;
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
