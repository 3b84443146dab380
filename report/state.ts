/** Pulumi's own files as far as evidence is read from them: an export of the state, and the history. */
import { z } from "zod";
import { NAMESPACE } from "../config";

const text = z.string().default("");

export const exportSchema = z.object({
  deployment: z.object({
    resources: z
      .array(
        z.object({
          urn: z.string(),
          type: z.string(),
          custom: z.boolean().default(false),
          created: z.string().optional(),
          modified: z.string().optional(),
          outputs: z.record(z.string(), z.unknown()).default({}),
        }),
      )
      .default([]),
  }),
});
export type StateResource = z.infer<typeof exportSchema>["deployment"]["resources"][number];

export const historySchema = z.array(
  z.object({
    kind: z.string(),
    startTime: z.string(),
    endTime: text,
    result: z.string(),
    resourceChanges: z.record(z.string(), z.number()).default({}),
    environment: z.record(z.string(), z.string()).default({}),
    config: z.record(z.string(), z.object({ value: text, secret: z.boolean().default(false) })).default({}),
  }),
);
export type HistoryEntry = z.infer<typeof historySchema>[number];

/** A key of ours in the config that an update ran with; secret ones are never asked for. */
export const configured = ({ config }: HistoryEntry, key: string): string => {
  const found = config[`${NAMESPACE}:${key}`];
  return found && !found.secret ? found.value : "";
};

/** What Change froze. */
export const changeSchema = z.object({
  wanted: z.string(),
  accepted: z.string(),
  changeId: z.string(),
  from: z.string(),
  mode: z.string(),
  attempt: z.number(),
  movedUnder: z.string(),
  owner: z.string(),
  goBack: text,
  round: text,
  acceptedRound: text,
});
export type ChangeInState = z.infer<typeof changeSchema>;
