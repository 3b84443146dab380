/** The report as a document. */
import { describeMoves, duration, utc } from "../../config";
import { failedRuns } from "../controls";
import { laneOfStep } from "../lanes";
import type { PlanRecord } from "../planSchema";
import type { ReportRecord, ReportStep, Statement } from "../reportSchema";
import { tries } from "../told";
import { accessSection } from "./accessSection";
import { availabilitySection } from "./availabilitySection";
import type { Bar, Cell, Document, Section, Tone } from "./document";
import { plannedBars } from "./planDocument";
import { moment, seconds } from "./values";

const OUTCOMES: Record<ReportRecord["outcome"], readonly [Tone, string]> = {
  "under way": ["warn", "The change is under way: not every step is done."],
  "upgraded, not accepted": [
    "warn",
    "Every step is done. The version is not accepted yet, and the way back is kept.",
  ],
  "patched, not accepted": [
    "warn",
    "Every step is done. The OS patches are not accepted yet, and the way back is kept.",
  ],
  accepted: ["good", "The change is accepted; the way back was let go."],
  withdrawn: ["warn", "The change was withdrawn before any node was touched."],
  "going back": ["bad", "The cluster is going back; not every step is done."],
  "gone back": ["warn", "The cluster has gone back to the accepted version."],
  settled: ["good", "Every node was proven; nothing was installed."],
};

function verdictOf({ outcome, operators = [] }: ReportRecord): (typeof OUTCOMES)[typeof outcome] {
  return outcome === "settled" && operators.length > 0
    ? ["good", `Moved: ${describeMoves(operators)}. Every node was proven; nothing was installed on it.`]
    : OUTCOMES[outcome];
}

/** The report, for people. @param plan the change request, for the planned timeline */
export function reportDocument(report: ReportRecord, plan: PlanRecord | undefined): Document {
  const [tone, text] = verdictOf(report);
  const proven = report.nodes.filter(({ after }) => after === report.to).length;
  return {
    kind: "Change report",
    title: `${report.changeId}: ${report.from} → ${report.to}`,
    lede: `What was planned against what happened, from the stack ${report.stack}'s state and history.`,
    verdict: { tone, text },
    facts: [
      ["Began", report.startedAt ? utc(new Date(report.startedAt)) : "not measured"],
      ["Ended", report.endedAt ? utc(new Date(report.endedAt)) : "not measured"],
      [
        "Took",
        `${seconds(report.workedSeconds)} in ${report.runs.length} runs${report.plan ? `, expected ${duration(report.plan.expectedSeconds)}` : ""}`,
      ],
      ["Failed runs", failedRuns(report.runs)],
      [`Nodes proven on ${report.to}`, `${proven} of ${report.nodes.length}`],
      [
        "Restore test",
        {
          text: report.restoreTest.measured ? "passed" : "not measured",
          tone: report.restoreTest.measured ? "good" : "warn",
        },
      ],
    ],
    sections: [
      timelineSection(report, plan),
      nodesSection(report),
      runsSection(report),
      stepsSection(report),
      wayBackSection(report),
      gatesSection(report),
      accessSection(report),
      toldSection(report),
      availabilitySection(report),
      statementsSection(report),
      controlsSection(report),
    ],
    footer: [
      `Made from evidence.json (sha256 ${report.evidence})${report.plan ? ` and the change request ${report.plan.digest}` : ""}; the same evidence gives the same report, byte for byte.`,
      "npm run change -- report --verify FOLDER finds any edit.",
    ],
  };
}

function timelineSection(report: ReportRecord, plan: PlanRecord | undefined): Section {
  const times = report.steps.flatMap(({ startedAt }) => (startedAt ? [new Date(startedAt).getTime()] : []));
  const begin = Math.min(...times);
  const bars = report.steps.flatMap((step): Bar[] => {
    if (!step.startedAt || step.seconds === undefined) return [];
    const from = (new Date(step.startedAt).getTime() - begin) / 1000;
    const late = step.expectedSeconds !== undefined && step.seconds > step.expectedSeconds;
    return [
      {
        lane: laneOfStep(step.name),
        label: step.name,
        from,
        to: from + step.seconds,
        tone: late ? "warn" : "good",
      },
    ];
  });
  const ordered = plan ? [...plannedBars(plan.steps)] : [];
  return {
    id: "timeline",
    title: "Timeline",
    blocks: [
      ...(bars.length > 0
        ? [
            {
              kind: "timeline",
              caption: "What happened when",
              begins: `From ${new Date(begin).toISOString()}; the other colour is a step that took longer than expected.`,
              bars: bars.sort((a, b) => a.from - b.from),
            } as const,
          ]
        : [{ kind: "text", text: "No step's time was measured." } as const]),
      ...(ordered.length > 0
        ? [
            {
              kind: "timeline",
              caption: "What was planned",
              begins: `Planned ${plan?.plannedAt}.`,
              bars: ordered,
            } as const,
          ]
        : []),
    ],
  };
}

const nodesSection = ({ nodes }: ReportRecord): Section => ({
  id: "nodes",
  title: "Version manifest",
  blocks: [
    {
      kind: "table",
      caption:
        "By each node's own word: before, to its gate, or when the plan was made; after, to its verification",
      columns: [
        ...["Node", "Before", "After", "Proven at", "Its turn took", "Expected"],
        ...["Pods evicted", "Tightest budget allowed"],
      ],
      rows: nodes.map((node) => [
        node.name,
        { text: node.before, code: true },
        { text: node.after, code: true },
        node.provenAt,
        seconds(node.seconds),
        expected(node.expectedSeconds),
        node.drain ? String(node.drain.evicted ?? "not measured") : "not drained",
        headroom(node.drain),
      ]),
    },
  ],
});

function headroom(drain: ReportRecord["nodes"][number]["drain"]): string {
  if (!drain) return "not drained";
  if (drain.budgets === undefined) return "not measured";
  return drain.headroom === undefined ? "no budget" : `${drain.headroom}: ${drain.budget}`;
}

/** A commit's first digits, as git shows it; the whole stands in the data. */
const shortened = (program: string): string => program.replace(/^([0-9a-f]{12})[0-9a-f]{28}/, "$1");

const expected = (value: number | undefined): string => (value === undefined ? "no plan" : seconds(value));

const runsSection = ({ runs }: ReportRecord): Section => ({
  id: "runs",
  title: "Runs: who, when, how they ended",
  blocks: [
    {
      kind: "table",
      caption:
        "Every run of pulumi up in this change. Who ran one is told by its gates, or by change apply: Pulumi's history names nobody",
      columns: ["Began", "Ended", "What", "Result", "By", "The approved plan", "Program", "What it said"],
      rows: runs.map((run): Cell[] => [
        moment(run.startedAt),
        moment(run.endedAt),
        run.does,
        { text: run.result, tone: run.result === "succeeded" ? "good" : "bad" },
        run.by,
        run.enforcedPlan === undefined ? "not measured" : run.enforcedPlan ? "enforced" : "not enforced",
        shortened(run.program),
        run.errors.join("\n"),
      ]),
    },
  ],
});

const stepsSection = ({ steps }: ReportRecord): Section => ({
  id: "steps",
  title: "Steps: planned against what happened",
  blocks: [
    {
      kind: "table",
      caption: "In the order in which they ended; a step that was run again stands with its last run",
      columns: ["Step", "Began", "Took", "Expected", "Outcome"],
      rows: steps.map((step) => [
        step.name,
        moment(step.startedAt),
        took(step),
        expected(step.expectedSeconds),
        outcome(step),
      ]),
    },
  ],
});

function took({ seconds: value, expectedSeconds }: ReportStep): Cell {
  const late = value !== undefined && expectedSeconds !== undefined && value > expectedSeconds;
  return late ? { text: `${seconds(value)}, longer`, tone: "warn" } : seconds(value);
}

const outcome = ({ outcome, planned }: ReportStep): Cell =>
  outcome === "not done"
    ? { text: outcome, tone: "warn" }
    : planned
      ? outcome
      : `${outcome} (not in the plan)`;

const wayBackSection = ({ snapshots, backups, exports, restoreTest }: ReportRecord): Section => ({
  id: "way-back",
  title: "Snapshots, backups and the restore test",
  blocks: [
    statements("The restore test (procedure §6.1)", [restoreTest]),
    {
      kind: "table",
      caption: "VM snapshots",
      columns: ["Node", "Snapshot", "VM", "Taken at", "State", "Took", "Task in Proxmox VE"],
      rows: snapshots.map((one) => [
        one.node,
        one.name,
        String(one.vmId),
        one.takenAt,
        one.consistent,
        seconds(one.seconds),
        { text: one.task, code: true },
      ]),
    },
    {
      kind: "table",
      caption: "etcd snapshots off their node, encrypted",
      columns: ["File", "Taken at", "Data of", "sha256"],
      rows: backups.map((one) => [one.file, one.takenAt, one.version, { text: one.sha256, code: true }]),
    },
    ...(exports
      ? [
          {
            kind: "table" as const,
            caption: "Rancher's configuration, exported by rancher-backup, encrypted",
            columns: ["File", "Taken at", "Rancher", "sha256"],
            rows: exports.map((one) => [
              one.file,
              one.takenAt,
              one.version,
              { text: one.sha256, code: true },
            ]),
          },
        ]
      : []),
  ],
});

const gatesSection = ({ gates }: ReportRecord): Section => ({
  id: "gates",
  title: "What the gates found",
  blocks:
    gates.length > 0
      ? gates.map(({ name, askedAt, askedBy, found }) => ({
          kind: "table" as const,
          caption: `${name}, asked at ${moment(askedAt)} by ${askedBy}`,
          columns: ["Finding", "Verdict"],
          rows: found.map((line): Cell[] => {
            const [, mark = "", rest = line] =
              /^\d+\. (ok|WARN|FAIL|NOT MEASURED) {2}(.*)$/s.exec(line) ?? [];
            return [rest, { text: mark || "not measured", tone: mark === "ok" ? "good" : "warn" }];
          }),
        }))
      : [{ kind: "text", text: "No gate's findings are left in state." }],
});

const TOLD: Record<"delivered" | "refused" | "not delivered", Tone> = {
  delivered: "good",
  refused: "bad",
  "not delivered": "bad",
};

const toldSection = ({ told = [] }: ReportRecord): Section => ({
  id: "told",
  title: "Who was told",
  blocks:
    told.length > 0
      ? [
          {
            kind: "table",
            caption: "Every message by every channel, in the order in which they were to be sent",
            columns: ["What", "By", "To", "Outcome", "Written", "Ended", "What was answered"],
            rows: told.map((one): Cell[] => [
              one.subject,
              one.channel,
              one.to?.join(", ") ??
                (one.channel === "glpi"
                  ? one.kind === "inventory"
                    ? "the inventory"
                    : "the ticket"
                  : "its receiver"),
              { text: `${one.outcome}, ${tries(one.tries)}`, tone: TOLD[one.outcome] },
              moment(one.at),
              one.endedAt ? moment(one.endedAt) : "not yet",
              one.detail ?? "",
            ]),
          },
        ]
      : [{ kind: "text", text: "Nobody was told by this program: no channel is set, or nothing was sent." }],
});

const statementsSection = ({ statements: given }: ReportRecord): Section => ({
  id: "more",
  title: "What else the procedure asks for",
  blocks: [statements("Procedure §4.1 and §5.1", given)],
});

const controlsSection = ({ controls }: ReportRecord): Section => ({
  id: "controls",
  title: "Controls (procedure §5.1, §5.2, §5.3)",
  blocks: controls.map(({ cis, iso27001, nist, implementation, statements: given }) =>
    statements(`${cis}, ISO 27001 ${iso27001}, NIST CSF ${nist}: ${implementation}`, given),
  ),
});

const statements = (caption: string, given: readonly Statement[]) => ({
  kind: "table" as const,
  caption,
  columns: ["Statement", "Measured", "Source"],
  rows: given.map(({ text, measured, source }): Cell[] => [
    text,
    measured ? { text: "yes", tone: "good" } : { text: "no", tone: "warn" },
    source,
  ]),
});
