/** What is kept of a stack's state and history as evidence: chosen field by field, so that nothing secret comes along. */
import { z } from "zod";
import { availabilitySchema } from "./live/availability";

/** The JSON object that a step prints last. */
const resultSchema = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]));

const resourceSchema = z.strictObject({
  name: z.string(),
  kind: z
    .string()
    .describe(
      "Command, VmSnapshot, RestoreTest, EtcdBackup, RancherBackup, TurnGate, Preflight, Recovered, …",
    ),
  attempt: z.number().optional(),
  created: z.string().optional().describe("By the engine's clock."),
  modified: z.string().optional().describe("When it was last done, by the engine's clock."),
  inState: z.boolean().describe("false: it was in an earlier export and has gone since, as acceptance does."),
  result: resultSchema.optional().describe("What the step said of itself."),
  found: z.array(z.string()).optional().describe("A gate's findings, a line each."),
  askedAt: z.string().optional(),
  askedBy: z.string().optional(),
});
export type Resource = z.infer<typeof resourceSchema>;

const updateSchema = z.strictObject({
  startedAt: z.string(),
  endedAt: z.string(),
  kind: z.string(),
  result: z.string(),
  changes: z.record(z.string(), z.number()),
  wanted: z.string(),
  accepted: z.string(),
  goBack: z.string(),
  round: z.string().optional().describe("osPatch.round, where OS patches alone were under way."),
  enforcedPlan: z.boolean(),
  program: z.string().describe("git's commit and whether files differed from it."),
  pulumi: z.string(),
});
export type Update = z.infer<typeof updateSchema>;

/** The sign-off of Operations (procedure §2.3), as the config states it. */
export const signOffSchema = z.strictObject({ by: z.string(), at: z.string().optional() });

/** One run that `change apply` began. */
export const runSchema = z.strictObject({
  startedAt: z.string(),
  endedAt: z.string().optional().describe("Absent while it runs, or where it was killed."),
  by: z.string(),
  digest: z.string(),
  approvedBy: z.string(),
  approval: z.string().describe("How the approval was proven."),
  signOff: signOffSchema.optional().describe("As it stood when it let this run through, an acceptance."),
  begun: z.literal(false).optional().describe("It ended before its engine began: nothing was touched."),
  code: z.number().optional(),
  errors: z.array(z.string()),
});
export type Run = z.infer<typeof runSchema>;

/** One message by one channel, and what became of it. */
export const toldSchema = z.strictObject({
  at: z.string(),
  channel: z.enum(["webhook", "smtp", "glpi"]),
  kind: z.string().describe("announcement, start, nodeDone, held, failed, done, rollback or inventory."),
  node: z.string().optional(),
  subject: z.string(),
  to: z.array(z.string()).optional().describe("Mail addresses."),
  outcome: z.enum(["delivered", "refused", "not delivered"]),
  tries: z.number(),
  endedAt: z.string().optional().describe("When it was delivered or refused."),
  detail: z.string().optional().describe("Why not, or what the receiver said."),
});

export const evidenceSchema = z.strictObject({
  kind: z.literal("evidence"),
  version: z.literal(1),
  changeId: z.string(),
  stack: z.string(),
  change: z.strictObject({
    wanted: z.string(),
    accepted: z.string(),
    from: z.string(),
    mode: z.string(),
    attempt: z.number(),
    goBack: z.string(),
    round: z.string().optional(),
    acceptedRound: z.string().optional(),
  }),
  manifest: z.unknown().describe("The stack's output: versions by node, before and after."),
  resources: z.array(resourceSchema),
  updates: z.array(updateSchema),
  operators: z.array(z.strictObject({ at: z.string(), by: z.string() })),
  runs: z.array(runSchema),
  notifications: z.array(toldSchema).optional(),
  signOff: signOffSchema.optional(),
  availability: z
    .array(availabilitySchema)
    .default([])
    .describe("Of the runs that change apply began and watched."),
});
export type Evidence = z.infer<typeof evidenceSchema>;
