/** The change request as a document. */
import { duration, utc } from "../../config";
import { goalOf } from "../goal";
import type { PlanRecord } from "../planSchema";
import type { Bar, Cell, Document, Section, Tone } from "./document";

type Finding = PlanRecord["findings"][number];

const TONES: Record<Finding["verdict"], Tone> = {
  pass: "good",
  warn: "warn",
  fail: "bad",
  "not measured": "bad",
};

const PHASES: Record<string, string> = {
  change: "The change",
  preflight: "Preflight",
  artifacts: "Artifacts",
  "way-back": "The way back",
  "operators-before": "Operators before",
  settle: "Charts settle",
  "operators-after": "Operators after",
  validation: "Validation",
  acceptance: "Acceptance",
  record: "Manifest",
  standstill: "Standstill",
  rollback: "VM rollback",
  data: "etcd's data",
  proof: "Proof",
};

/** The change request, for people. */
export function planDocument(plan: PlanRecord): Document {
  const { changeId, summary, window, findings, digest } = plan;
  const stops = findings.filter(({ verdict }) => verdict === "fail" || verdict === "not measured");
  const holding = findings.filter(({ verdict }) => verdict === "pass").length;
  return {
    kind: "Change request",
    title: `${changeId}: ${goalOf(plan)}`,
    lede: summary,
    verdict:
      stops.length === 0
        ? {
            tone: "good",
            text: `Nothing that was asked stands in the way: ${holding} of ${findings.length} checks hold.`,
          }
        : {
            tone: "bad",
            text: `${stops.length} of ${findings.length} checks would stop this change now: see the checks below.`,
          },
    facts: [
      ["Window", windowText(window)],
      ["Expected to take", duration(plan.expectedSeconds)],
      ["Nodes", `${plan.nodes.length}, in ${plan.steps.length} steps`],
      ["Planned at", utc(new Date(plan.plannedAt))],
      ["Approve this digest", { text: `${digest.value.slice(0, 16)}…`, code: true }],
    ],
    sections: [
      timelineSection(plan),
      nodesSection(plan),
      checksSection(findings),
      compatibilitySection(findings),
      stepsSection(plan),
      wayBackSection(plan),
      table(
        "risks",
        "Risks",
        "What may go wrong or will be felt",
        ["Risk", "What is done about it", "Source"],
        plan.risks.map(({ risk, answer, source }) => [risk, answer, source]),
      ),
      raciSection(plan),
      scriptsSection(plan),
      digestSection(plan),
    ],
    footer: [
      `Made from the stack ${plan.stack} with Pulumi ${plan.program.pulumi}, program ${plan.program.commit}.`,
      `Digest ${digest.value} (sha256): npm run change -- apply refuses where anything it stands on has changed.`,
    ],
  };
}

const table = (id: string, title: string, caption: string, columns: string[], rows: Cell[][]): Section => ({
  id,
  title,
  blocks: rows.length > 0 ? [{ kind: "table", caption, columns, rows }] : [{ kind: "text", text: "None." }],
});

function windowText({ configured, opens, closes, override }: PlanRecord["window"]): string {
  if (override) return `this change may leave its window (${configured.join("; ")})`;
  return opens && closes
    ? `${utc(new Date(opens))} until ${utc(new Date(closes))}`
    : `none within two weeks of ${configured.join("; ")}`;
}

/** Bars of the steps one after the other; steps side by side begin together, and so do the turns of a wave. */
export function plannedBars(steps: PlanRecord["steps"]): Bar[] {
  const bars: Bar[] = [];
  let [start, number, end] = [0, 0, 0];
  let begun: number | undefined;
  const turns = new Map<string, number>();
  for (const step of steps) {
    const inTurn = step.wave !== undefined && step.node !== undefined;
    if (inTurn && step.wave !== begun) turns.clear();
    if (step.number !== number && (!inTurn || step.wave !== begun)) start = end;
    [number, begun] = [step.number, step.wave];
    const from = inTurn ? (turns.get(step.node ?? "") ?? start) : start;
    const to = from + step.expectedSeconds;
    if (inTurn) turns.set(step.node ?? "", to);
    end = Math.max(end, to);
    bars.push({ lane: laneOf(step), label: step.title, from, to });
  }
  return bars;
}

/** A node's own row for its turn, the phase's for everything around. */
export const laneOf = ({ phase, node }: { phase: string; node?: string }): string =>
  node && ["servers", "agents", "back-servers", "back-agents"].includes(phase)
    ? node
    : (PHASES[phase] ?? phase);

const timelineSection = (plan: PlanRecord): Section => ({
  id: "timeline",
  title: "Timeline",
  blocks: [
    {
      kind: "timeline",
      caption: "When what is expected",
      begins: `From the beginning of the run; ${plan.measuredSteps} of ${plan.steps.length} durations were measured on this cluster before, the others are the config's.`,
      bars: plannedBars(plan.steps),
    },
  ],
});

const nodesSection = (plan: PlanRecord): Section =>
  table(
    "nodes",
    "Nodes, in their order",
    "From and to, by node",
    ["Node", "Role", "From", "To", "It says now", "Expected", "VM, as configured"],
    plan.nodes.map((node) => [
      node.name,
      node.gpu ? `${node.role}, GPU` : node.role,
      { text: node.from, code: true },
      { text: node.to, code: true },
      "notMeasured" in node.seen
        ? { text: `not measured: ${node.seen.notMeasured}`, tone: "bad" }
        : `${node.seen.versionRunning || "nothing runs"}, ${node.seen.service}`,
      duration(node.expectedSeconds),
      `${node.vmId} on ${node.proxmoxNode}`,
    ]),
  );

/** What does not hold first; within that, in the order of preview. */
function checksSection(findings: readonly Finding[]): Section {
  const order = ["fail", "not measured", "warn", "pass"];
  const rows = findings
    .map((finding, i) => ({ ...finding, number: i + 1 }))
    .sort((a, b) => order.indexOf(a.verdict) - order.indexOf(b.verdict) || a.number - b.number);
  return table(
    "checks",
    "Checks",
    "Every check's finding; numbers as in the preview, what does not hold first",
    ["Check", "No.", "Verdict", "Seen", "Wanted", "Next"],
    rows.map(({ check, number, verdict, found, wanted, next }) => [
      check,
      String(number),
      { text: verdict, tone: TONES[verdict] },
      found,
      wanted,
      next ?? "",
    ]),
  );
}

function compatibilitySection(findings: readonly Finding[]): Section {
  const found = findings.filter(({ check }) => check.startsWith("compatibility: "));
  return table(
    "compatibility",
    "Compatibility",
    "What runs in the cluster, and what its makers have published (procedure §3.1, §3.2)",
    ["Component", "Verdict", "Found", "Wanted"],
    found.map(({ check, verdict, found, wanted }) => [
      check.slice("compatibility: ".length),
      { text: verdict, tone: TONES[verdict] },
      found,
      wanted,
    ]),
  );
}

function stepsSection(plan: PlanRecord): Section {
  const rows = plan.steps.map((step): Cell[] => [
    `${step.number}. ${step.title}`,
    step.node ?? laneOf(step),
    step.script ? { text: step.script, code: true } : { text: "by the program", tone: "quiet" },
    step.operation,
    `${duration(step.expectedSeconds)}${step.expectedFrom === "measured" ? ", measured" : ""}`,
    duration(step.boundSeconds),
  ]);
  return table(
    "steps",
    "Steps, in order",
    "Every step; the scripts stand below, with their digests",
    ["What", "Where", "Script", "Pulumi", "Expected", "At most"],
    rows,
  );
}

const wayBackSection = ({ wayBack }: PlanRecord): Section => ({
  id: "way-back",
  title: "The way back",
  blocks: [
    ...(wayBack.lines.length > 0
      ? [{ kind: "list", items: wayBack.lines.map((line) => line.trim()) } as const]
      : []),
    {
      kind: "table",
      caption: "What a recovery may take and lose (procedure §6.2, this stack's figures)",
      columns: ["Failure", "RTO", "RPO", "Recovery", "Responsible"],
      rows: wayBack.objectives.map(({ scenario, rtoMinutes, rpoMinutes, recovery, responsible }) => [
        scenario,
        `${rtoMinutes} min`,
        rpoMinutes === 0 ? "0" : `${rpoMinutes} min`,
        recovery,
        responsible,
      ]),
    },
  ],
});

const raciSection = ({ raci, notices }: PlanRecord): Section => {
  const columns = Object.keys(raci[0] ?? {});
  return {
    id: "people",
    title: "Who does what, who is told when",
    blocks: [
      {
        kind: "table",
        caption: "R responsible, A accountable, C consulted, I informed (procedure §2.3)",
        columns: columns.map((name) => (name === "activity" ? "Activity" : name)),
        rows: raci.map((row) => columns.map((name) => row[name] ?? "")),
      },
      {
        kind: "table",
        caption: "Who is told when, by that matrix, and how. Whether they were, the report says",
        columns: ["When", "Who", "Of what", "How"],
        rows: notices.map(({ when, who, what, how }) => [when, who, what, how ?? "not measured"]),
      },
    ],
  };
};

const scriptsSection = ({ scripts, steps }: PlanRecord): Section => ({
  id: "scripts",
  title: "The exact scripts",
  blocks: Object.entries(scripts).map(([name, { sha256, text }]) => ({
    kind: "code",
    title: `${name}, in ${steps.filter((step) => step.script === name).length} steps, sha256 ${sha256}`,
    text,
  })),
});

const digestSection = ({ digest, program }: PlanRecord): Section => ({
  id: "digest",
  title: "What the approval stands on",
  blocks: [
    {
      kind: "table",
      caption: "The digest and its parts (sha256)",
      columns: ["Part", "Digest"],
      rows: [
        ["all of it", { text: digest.value, code: true }],
        ...Object.entries(digest.parts).map(([name, value]): Cell[] => [name, { text: value, code: true }]),
      ],
    },
    {
      kind: "text",
      text: `Program commit ${program.commit}, ${
        program.uncommitted.length === 0
          ? "every file as committed."
          : `and these files differ from it: ${program.uncommitted.join(", ")}.`
      }`,
    },
  ],
});
