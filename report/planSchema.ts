/** The change request as data. docs/change.schema.json is made from it (`npm run change -- schema`). */
import { z } from "zod";
import { findingSchema, nodeSeenSchema } from "../observe/seen";

export const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const seconds = z.number().nonnegative();

const node = z.strictObject({
  name: z.string(),
  role: z.enum(["server", "agent"]),
  gpu: z.boolean(),
  address: z.string(),
  vmId: z.number(),
  proxmoxNode: z.string(),
  from: z.string().describe("The version that the change leaves."),
  to: z.string().describe("The version that the change brings it to."),
  seen: nodeSeenSchema.describe("What the node said of itself when the plan was made."),
  expectedSeconds: seconds.describe("Its turn: the sum of its steps."),
});

const step = z.strictObject({
  number: z.number().int().positive().describe("As preview prints it; steps side by side share one."),
  id: z.string(),
  phase: z.string(),
  title: z.string(),
  node: z.string().optional().describe("The node that it works on."),
  together: z.string().optional().describe("Steps of one group run side by side."),
  wave: z
    .number()
    .int()
    .positive()
    .optional()
    .describe("Agents of one wave take their turns side by side, each step by step."),
  runsOn: z.string().optional().describe("user@address:port, where it is a script on a node."),
  script: z.string().optional().describe("Names an entry of scripts."),
  args: z.array(z.string()).optional().describe("The script's own arguments."),
  ofAttempt: z.literal(true).optional().describe("The change's attempt comes before args."),
  operation: z
    .string()
    .describe("What Pulumi plans to do with it: create, update, same, or not in the plan."),
  expectedSeconds: seconds,
  expectedFrom: z.enum(["measured", "config"]).describe("Earlier runs on this cluster, or the config."),
  boundSeconds: seconds.describe("After this long it has failed."),
});

const objective = z.strictObject({
  scenario: z.string().describe("Procedure §6.2."),
  rtoMinutes: z.number(),
  rpoMinutes: z.number(),
  recovery: z.string(),
  responsible: z.string(),
});

/** What the digest stands on: change one of these and the digest is another. */
export const digestSchema = z.strictObject({
  algorithm: z.literal("sha256"),
  value: sha256.describe("Over parts, as JSON with sorted keys. What is approved."),
  parts: z.strictObject({
    plan: sha256.describe("Pulumi's plan file: change.plan.json, back.plan.json or accept.plan.json."),
    program: sha256.describe("Every file of the program, package-lock.json and the scripts included."),
    config: sha256.describe("The stack's config without the approval itself."),
    cluster: sha256.describe("The versions that the nodes ran when the plan was made."),
    scripts: sha256.describe("The text of every step, as it is sent."),
  }),
  files: z.record(z.string(), sha256).describe("The program, file by file."),
  config: z.record(z.string(), sha256).describe("The config, key by key."),
});

export const planSchema = z.strictObject({
  $schema: z.literal("docs/change.schema.json"),
  kind: z.literal("change request"),
  version: z.literal(1),
  changeId: z.string(),
  stack: z.string(),
  direction: z.enum(["upgrade", "going back", "settled"]),
  accepts: z
    .boolean()
    .optional()
    .describe("Where it is settled: whether a way back is let go, as when a version is accepted."),
  operators: z
    .array(
      z.strictObject({
        name: z.string(),
        from: z.string().optional().describe("Absent where no release was seen."),
        to: z.string(),
        back: z.string().describe("How it goes back by itself."),
        lost: z.string().describe("What that loses."),
      }),
    )
    .optional()
    .describe("The Helm releases that move; absent where none does."),
  summary: z.string(),
  from: z.string(),
  to: z.string(),
  plannedAt: z.iso.datetime(),
  program: z.strictObject({
    commit: z.string().describe("Of git; `not measured` outside a repository."),
    uncommitted: z.array(z.string()).describe("Files of the program that differ from that commit."),
    pulumi: z.string(),
  }),
  window: z.strictObject({
    configured: z.array(z.string()),
    opens: z.iso.datetime().optional(),
    closes: z.iso.datetime().optional(),
    override: z.boolean().describe("Whether this change may leave its window."),
  }),
  expectedSeconds: seconds.describe("All steps, those side by side counted once."),
  measuredSteps: z.number().describe("How many steps' durations were measured on this cluster before."),
  nodes: z.array(node),
  steps: z.array(step),
  scripts: z.record(z.string(), z.strictObject({ sha256, text: z.string() })),
  findings: z.array(findingSchema),
  wayBack: z.strictObject({ lines: z.array(z.string()), objectives: z.array(objective) }),
  risks: z.array(z.strictObject({ risk: z.string(), answer: z.string(), source: z.string() })),
  raci: z.array(z.record(z.string(), z.string())).describe("Procedure §2.3."),
  notices: z.array(
    z.strictObject({
      when: z.string(),
      who: z.string(),
      what: z.string(),
      how: z.string().optional().describe("What this program tells then, by which channel, to whom."),
    }),
  ),
  digest: digestSchema,
});

/** The change request. */
export type PlanRecord = z.infer<typeof planSchema>;
