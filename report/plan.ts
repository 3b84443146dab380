/** Puts the change request together from config, Pulumi's plan and what the preview saw. Pure. */
import { type PlanLine, planOf } from "../components/plan";
import {
  describeMoves,
  describeWindow,
  duration,
  isChanging,
  isRound,
  isSerial,
  maxUnavailable,
  movesOf,
  nextAfter,
  type OperatorMove,
  openAt,
  type Settings,
  totalSeconds,
  wavesOf,
  withExpectations,
} from "../config";
import { type StepScript, stepText } from "../scripts";
import { digestOf } from "./canonical";
import { digest } from "./digest";
import { isTurn } from "./lanes";
import { notices } from "./notices";
import type { PlanRecord } from "./planSchema";
import type { Preview } from "./preview";
import { raci, recoveries } from "./procedure";
import type { Commit } from "./program";
import { leavesAlone } from "./pulumiPlan";
import { risksOf } from "./risks";
import { stepOf } from "./stepName";

/** All that a change request is made of. */
export interface PlanInputs {
  readonly stack: string;
  readonly settings: Settings;
  readonly configKeys: Record<string, string>;
  readonly files: Record<string, string>;
  readonly commit: Commit;
  readonly preview: Preview;
}

/** The change request. */
export function planRecord({ stack, settings, configKeys, files, commit, preview }: PlanInputs): PlanRecord {
  const { seen } = preview;
  const steps = expectedSteps(settings, seen.steps);
  const direction = directionOf(settings);
  const [from, to] =
    direction === "going back"
      ? [settings.rke2Version, settings.acceptedVersion]
      : [settings.acceptedVersion, settings.rke2Version];
  const scripts = scriptsOf(steps);
  const operations = operationsOf(steps, preview.operations);
  const moves = settings.goBack ? [] : operatorMoves(settings, preview);
  const accepts = direction === "settled" ? !leavesAlone(preview.plan, RELEASE) : undefined;
  const nodes = settings.nodes.map((node) => ({
    name: node.name,
    role: node.role,
    gpu: node.gpu,
    address: node.address,
    vmId: node.vmId,
    proxmoxNode: node.proxmoxNode,
    from,
    to,
    seen: seen.nodes[node.name] ?? { notMeasured: "a way back asks only what it needs" },
    expectedSeconds: totalSeconds(steps.filter((step) => isTurn(step) && step.node === node.name)),
  }));
  const expectedSeconds = totalSeconds(steps);
  return {
    $schema: "docs/change.schema.json",
    kind: "change request",
    version: 1,
    changeId: settings.changeId,
    stack,
    direction,
    accepts,
    ...(moves.length > 0 && { operators: moves }),
    summary: summaryOf(settings, { direction, from, to, accepts, moves }, expectedSeconds),
    from,
    to,
    plannedAt: seen.at,
    program: { commit: commit.commit, uncommitted: [...commit.uncommitted], pulumi: preview.pulumiVersion },
    window: windowOf(settings, new Date(seen.at)),
    expectedSeconds,
    measuredSteps: steps.filter((step) => step.expectedFrom === "measured").length,
    nodes,
    steps: numbered(steps).map(([number, step]) => stepRecord(number, step, operations)),
    scripts,
    findings: seen.findings,
    wayBack: { lines: seen.wayBack, objectives: recoveries(settings) },
    risks: risksOf(settings, seen.findings),
    raci: raci(),
    notices: notices(settings),
    digest: digest({
      plan: preview.plan,
      files,
      configKeys,
      // As the record has them: a way back asks no node, and the digest must follow from what is written.
      nodes: Object.fromEntries(nodes.map(({ name, seen }) => [name, seen])),
      scripts,
    }),
  };
}

/** Where the stack's config goes. */
export function directionOf(settings: Settings): PlanRecord["direction"] {
  if (settings.goBack) return "going back";
  return isChanging(settings) ? "upgrade" : "settled";
}

/** What lets the way back go (components/acceptance.ts): left alone where there is none. */
const RELEASE = "settled-release";

/** By what is there, and by Pulumi's plan, which alone knows other values. */
const operatorMoves = (settings: Settings, { seen, operations }: Preview): OperatorMove[] =>
  movesOf(
    settings,
    (seen.operators ?? []).map(({ name, version, moves }) => ({
      ...{ name, version },
      moves: moves || (operations.get(`operator-${name}-release`) ?? "same") !== "same",
    })),
  );

/** With the durations that the program expected when it looked; where it told none, those of the config. */
const expectedSteps = (settings: Settings, told: Preview["seen"]["steps"]): PlanLine[] =>
  withExpectations(planOf(settings), settings).map((step) => ({ ...step, ...told[step.id] }));

function summaryOf(
  settings: Settings,
  {
    direction,
    from,
    to,
    accepts,
    moves,
  }: Pick<PlanRecord, "direction" | "from" | "to" | "accepts"> & {
    readonly moves: readonly OperatorMove[];
  },
  seconds: number,
): string {
  const { servers, agents, goBack } = settings;
  const waves = isSerial(settings)
    ? ""
    : ` in ${wavesOf(settings).length} waves of at most ${maxUnavailable(settings)}`;
  const nodes = `${servers.length} servers, one at a time, then ${agents.length} agents${waves}`;
  const takes = `about ${duration(Math.ceil(seconds / 60) * 60)} in all`;
  switch (direction) {
    case "upgrade":
      return isRound(settings)
        ? `OS patches (${settings.osPatch.packages}) on ${roundNodes(settings)}${waves}, RKE2 stays on ${to}; ${takes}.`
        : `RKE2 ${from} → ${to} on ${nodes}; ${takes}.`;
    case "going back":
      return `RKE2 goes back, ${from} → ${to}, by ${goBack?.strategy}${goBack?.nodes ? ` of ${goBack.nodes.join(", ")}` : ""}${goBack?.without ? `, without ${goBack.without.join(", ")}` : ""}; ${takes}.`;
    case "settled":
      return [
        ...(moves.length > 0 ? [`${describeMoves(moves)}, each going back by itself`] : []),
        `RKE2 ${to}: every node is proven, nothing is installed${moves.length > 0 ? " on it" : ""}`,
        ...(accepts ? ["the way back is let go"] : []),
        `${takes}.`,
      ].join("; ");
  }
}

/** Who has a turn in a round of OS patches. */
const roundNodes = ({ servers, agents, osPatch }: Settings): string =>
  `${osPatch.servers ? `${servers.length} servers, one at a time, then ` : ""}${agents.length} agents`;

function windowOf({ windows, windowOverride, changeId }: Settings, at: Date): PlanRecord["window"] {
  const span = openAt(windows, at) ?? nextAfter(windows, at);
  return {
    configured: windows.map(describeWindow),
    opens: span?.start.toISOString(),
    closes: span?.end.toISOString(),
    override: windowOverride === changeId,
  };
}

/** Numbers as preview prints them: neighbours of one group share one. */
export function numbered<S extends Pick<PlanLine, "together" | "phase">>(steps: readonly S[]): [number, S][] {
  let number = 0;
  return steps.map((step, i) => {
    const before = steps[i - 1];
    const joins = step.together && before?.together === step.together && before.phase === step.phase;
    if (!joins) number += 1;
    return [number, step];
  });
}

function stepRecord(
  number: number,
  {
    id,
    phase,
    title,
    node,
    together,
    wave,
    planned,
    expectedSeconds = 0,
    expectedFrom = "config",
    boundSeconds,
  }: PlanLine,
  operations: ReadonlyMap<string, string>,
): PlanRecord["steps"][number] {
  return {
    number,
    id,
    phase,
    title,
    node,
    together,
    wave,
    ...(planned && {
      runsOn: `${planned.on.user}@${planned.on.address}:${planned.on.port}`,
      script: planned.script,
      args: planned.args.map(String),
      ofAttempt: planned.ofAttempt,
    }),
    operation: operations.get(id) ?? "not in the plan",
    expectedSeconds,
    expectedFrom,
    boundSeconds,
  };
}

/** What is planned for each step, by its ID. */
function operationsOf(
  steps: readonly PlanLine[],
  operations: ReadonlyMap<string, string>,
): ReadonlyMap<string, string> {
  const ids = new Set(steps.map(({ id }) => id));
  const own = [...operations].map(([name, operation]) => [stepOf(name, ids) ?? name, operation] as const);
  // A turn in a wave is one resource.
  const ofTurns = steps.flatMap(({ id, node, wave }) => {
    const operation = wave === undefined ? undefined : operations.get(`${node}-turn`);
    return operation ? [[id, operation] as const] : [];
  });
  return new Map([...ofTurns, ...own]);
}

/** The text of every script that the plan runs, once each, sorted by name. */
function scriptsOf(steps: readonly PlanLine[]): PlanRecord["scripts"] {
  const names = new Set(steps.flatMap(({ planned }) => (planned ? [planned.script] : [])));
  return Object.fromEntries(
    ([...names].sort() as StepScript[]).map((name) => {
      const text = stepText(name);
      return [name, { sha256: digestOf(text), text }];
    }),
  );
}
