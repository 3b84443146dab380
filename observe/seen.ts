/** What a preview has seen, as data, for the change record: the lines that people read are made from the same values. */
import { writeFile } from "node:fs/promises";
import { z } from "zod";
import type { Step } from "../config";
import type { Facts } from "./facts";
import type { Finding } from "./finding";

/** The variable that names the file which the program writes what it saw to; unset: it writes none. */
export const SEEN_FILE = "RKE2_UPGRADE_SEEN";

export const findingSchema = z.strictObject({
  check: z.string().describe("What was asked."),
  found: z.string().describe("What was seen."),
  wanted: z.string().describe("What had to be seen."),
  verdict: z.enum(["pass", "warn", "fail", "not measured"]),
  next: z.string().optional().describe("What to do next, where it does not pass."),
});

/** What a node said of itself, or why that is not known. */
export const nodeSeenSchema = z.union([
  z.strictObject({
    versionOnDisk: z.string(),
    versionRunning: z.string(),
    service: z.string().describe("systemd's word for the RKE2 service."),
    bootId: z.string(),
  }),
  z.strictObject({ notMeasured: z.string().describe("Why.") }),
]);

export const seenSchema = z.strictObject({
  at: z.iso.datetime().describe("When it was looked at, by the clock of the machine that runs the program."),
  findings: z.array(findingSchema),
  nodes: z.record(z.string(), nodeSeenSchema),
  steps: z.record(
    z.string(),
    z.strictObject({ expectedSeconds: z.number(), expectedFrom: z.enum(["measured", "config"]) }),
  ),
  wayBack: z.array(z.string()).describe("The way back and what it loses, in lines."),
  operators: z
    .array(
      z.strictObject({
        name: z.string(),
        version: z.string().optional().describe("Of the release that is there."),
        moves: z.boolean().describe("Whether it is not as asked for, or nobody could look."),
      }),
    )
    .optional(),
  cost: z.strictObject({ sshSessions: z.number(), apiCalls: z.number(), seconds: z.number() }),
});

/** What a preview has seen. */
export type Seen = z.infer<typeof seenSchema>;

/** What the nodes said of themselves, without what only checks need. */
export const nodesSeen = ({ nodes }: Pick<Facts, "nodes">): Seen["nodes"] =>
  Object.fromEntries(
    [...nodes]
      .map(([name, seen]) => {
        if ("missing" in seen) return [name, { notMeasured: seen.missing }] as const;
        const { versionOnDisk, versionRunning, service, bootId } = seen.value;
        return [name, { versionOnDisk, versionRunning, service, bootId }] as const;
      })
      .sort(([a], [b]) => a.localeCompare(b)),
  );

/** What each step is expected to take. */
export const stepsSeen = (steps: readonly Step[]): Seen["steps"] =>
  Object.fromEntries(
    steps.flatMap(({ id, expectedSeconds, expectedFrom }) =>
      expectedSeconds === undefined || !expectedFrom ? [] : [[id, { expectedSeconds, expectedFrom }]],
    ),
  );

/** Writes what was seen to the file that the environment names; does nothing where it names none. */
export async function tellSeen(
  seen: Omit<Seen, "findings"> & { findings: readonly Finding[] },
): Promise<void> {
  const file = process.env[SEEN_FILE];
  if (!file) return;
  // What only gates need of a finding is no part of the record.
  const findings = seen.findings.map(({ momentary: _, ...finding }) => finding);
  await writeFile(file, `${JSON.stringify({ ...seen, findings }, null, 2)}\n`, { mode: 0o600 });
}
