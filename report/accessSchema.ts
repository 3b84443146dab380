/** What was collected of who had access during a change: access.json in the change's folder. */
import { z } from "zod";
import { loginSchema } from "../observe/logins";
import { requestSchema } from "../observe/requests";
import { taskSchema } from "../observe/tasks";

/** One place that was asked. */
const source = {
  name: z.string(),
  until: z.iso
    .datetime()
    .optional()
    .describe("Measured from the change's beginning until then; absent: never."),
  notMeasured: z.string().optional().describe("Why the rest is missing."),
};

const notes = z.array(z.string()).describe("What is known to be missing of what was measured.");

export const accessSchema = z.strictObject({
  kind: z.literal("access"),
  version: z.literal(1),
  changeId: z.string(),
  from: z.iso.datetime().describe("The beginning of the change's first run."),
  until: z.iso.datetime().describe("The end of its last one."),
  nodes: z.array(z.strictObject({ ...source, vmId: z.number().int(), notes, logins: z.array(loginSchema) })),
  servers: z
    .array(z.strictObject({ ...source, notes, requests: z.array(requestSchema) }))
    .describe("Audit logs, read with their node's journal."),
  hosts: z.array(z.strictObject({ ...source, tasks: z.array(taskSchema) })).describe("Of Proxmox VE."),
  ownUser: z.string().describe("The token that the program asks Proxmox VE with."),
});
export type Access = z.infer<typeof accessSchema>;
