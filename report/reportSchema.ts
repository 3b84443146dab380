/** The report as data: what was planned against what happened. docs/report.schema.json is made from it. */
import { z } from "zod";
import { loginSchema } from "../observe/logins";
import { requestSchema } from "../observe/requests";
import { taskSchema } from "../observe/tasks";
import { runSchema, signOffSchema, toldSchema } from "./evidenceSchema";
import { availabilitySchema } from "./live/availability";
import { sha256 } from "./planSchema";

const stepSchema = z.strictObject({
  name: z.string(),
  node: z.string().optional().describe("Whose turn it belongs to."),
  planned: z.boolean().describe("Whether the approved plan has it."),
  expectedSeconds: z.number().optional(),
  startedAt: z.string().optional().describe("Absent where it was not measured."),
  seconds: z.number().optional(),
  endedAt: z.string().optional(),
  attempt: z.number().optional(),
  outcome: z.string().describe("What it said of itself, or that it was not measured."),
});

const statement = z.strictObject({
  text: z.string(),
  measured: z.boolean(),
  source: z
    .string()
    .describe("Where the measurement is from; what would have to be looked at where there is none."),
});

const measured = z.strictObject({
  of: z.number().describe("How many there are."),
  some: z.number().describe("How many were measured, if for a part of the time alone."),
});

const accessSchema = z.strictObject({
  sha256: sha256.describe("Of access.json, which this is made from."),
  from: z.string(),
  until: z.string(),
  logins: z.array(
    loginSchema.omit({ programKey: true }).extend({
      node: z.string(),
      privileged: z.boolean().describe("Whether root's rights came with it."),
      program: z.boolean().describe("Whether it was this program."),
    }),
  ),
  requests: z.array(requestSchema.extend({ server: z.string() })),
  tasks: z.array(taskSchema.extend({ host: z.string(), program: z.boolean() })),
  measured: z.strictObject({ nodes: measured, servers: measured, hosts: measured }),
  missing: z.array(z.strictObject({ what: z.string(), why: z.string() })),
});

export const reportSchema = z.strictObject({
  $schema: z.literal("docs/report.schema.json"),
  kind: z.literal("change report"),
  version: z.literal(1),
  changeId: z.string(),
  stack: z.string(),
  from: z.string(),
  to: z.string(),
  outcome: z.enum([
    "under way",
    "upgraded, not accepted",
    "patched, not accepted",
    "accepted",
    "withdrawn",
    "gone back",
    "going back",
    "settled",
  ]),
  operators: z
    .array(z.strictObject({ name: z.string(), from: z.string().optional(), to: z.string() }))
    .optional()
    .describe("Where nothing but Helm releases was to move: those."),
  program: sha256.describe("Of the program that made this report, as in a change request's digest."),
  evidence: sha256.describe("Of evidence.json, which this report is made from alone, with change.json."),
  plan: z.strictObject({ digest: sha256, plannedAt: z.string(), expectedSeconds: z.number() }).optional(),
  startedAt: z.string().optional(),
  endedAt: z.string().optional(),
  seconds: z.number().optional().describe("From the first run's start to the last one's end."),
  workedSeconds: z.number().describe("The sum of the runs' own times."),
  nodes: z.array(
    z.strictObject({
      name: z.string(),
      before: z.string().describe("By its own word: to the gate of its turn, else when the plan was made."),
      after: z.string(),
      provenAt: z.string(),
      seconds: z.number().optional(),
      expectedSeconds: z.number().optional(),
      drain: z
        .strictObject({
          evicted: z.number().optional(),
          budgets: z.number().optional().describe("How many guarded a pod of it."),
          headroom: z
            .number()
            .optional()
            .describe("The fewest disruptions that one of these allowed, as it began."),
          budget: z.string().optional().describe("That one: namespace/name."),
        })
        .optional()
        .describe("All tries of it in this change; a figure that is absent was not measured."),
    }),
  ),
  steps: z.array(stepSchema),
  gates: z.array(
    z.strictObject({
      name: z.string(),
      askedAt: z.string(),
      askedBy: z.string(),
      found: z.array(z.string()),
    }),
  ),
  snapshots: z.array(
    z.strictObject({
      node: z.string(),
      name: z.string(),
      vmId: z.number(),
      takenAt: z.string(),
      consistent: z.string(),
      seconds: z.number(),
      task: z.string(),
    }),
  ),
  backups: z.array(
    z.strictObject({ file: z.string(), sha256: z.string(), takenAt: z.string(), version: z.string() }),
  ),
  exports: z
    .array(
      z.strictObject({
        file: z.string(),
        sha256: z.string(),
        takenAt: z.string(),
        version: z.string(),
        restore: z.string().describe("Its name on rancher-backup's volume: what rancher.restore takes."),
      }),
    )
    .optional()
    .describe("Rancher's configuration (procedure §6.1); absent where none was exported."),
  restoreTest: statement,
  runs: z.array(
    z.strictObject({
      startedAt: z.string(),
      endedAt: z.string().optional().describe("Absent where no end was written: killed, or still at work."),
      result: z.string(),
      does: z.string(),
      by: z.string(),
      enforcedPlan: z.boolean().optional().describe("Absent where Pulumi's history does not know the run."),
      program: z.string(),
      errors: z.array(z.string()),
    }),
  ),
  approvals: z.array(runSchema.pick({ digest: true, approvedBy: true, approval: true })),
  told: z
    .array(toldSchema)
    .optional()
    .describe("Who was told what, by which channel, and whether it arrived."),
  signOff: signOffSchema.optional().describe("Operations' (§2.3); absent where it was not given."),
  access: accessSchema
    .optional()
    .describe("Who had access in the change's time (procedure §5.1); absent where nobody asked."),
  availability: z
    .array(availabilitySchema)
    .describe(
      "The API once a second (§4.1), a row a run that change apply began; plain pulumi up is not watched.",
    ),
  statements: z.array(statement).describe("What else the procedure asks for (§4.1, §5.1), measured or not."),
  controls: z
    .array(
      z.strictObject({
        cis: z.string(),
        iso27001: z.string(),
        nist: z.string(),
        implementation: z.string(),
        statements: z.array(statement),
      }),
    )
    .describe("Procedure §5.2 and §5.3."),
});

/** The report. */
export type ReportRecord = z.infer<typeof reportSchema>;
export type Statement = z.infer<typeof statement>;
export type ReportStep = z.infer<typeof stepSchema>;
