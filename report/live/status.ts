/**
 * How a run stands, as the terminal and the page show it: `run-N.status.json`, written whole every second by the run's own
 * process, so that whoever comes later, from another terminal, sees the same. It is no record, and goes when the run ends.
 */
import { readFile } from "node:fs/promises";
import { z } from "zod";
import type { Settings } from "../../config";
import { goalOf, operatorsAlone } from "../goal";
import type { PlanRecord } from "../planSchema";
import type { Availability } from "./availability";
import { ifItFails } from "./ifItFails";
import { atWork, nodeState, type Progress, position, progressOf, STATES, turnSteps } from "./progress";
import type { Watched } from "./watch";

const seconds = z.number();
const stepSchema = z.strictObject({
  id: z.string(),
  title: z.string(),
  elapsedSeconds: seconds,
  expectedSeconds: seconds,
});

export const statusSchema = z.strictObject({
  changeId: z.string(),
  run: z.number(),
  at: z.iso.datetime(),
  startedAt: z.iso.datetime(),
  does: z.string(),
  done: z.number(),
  of: z.number(),
  elapsedSeconds: seconds,
  expectedSeconds: seconds,
  /** Steps at work that are on no node. */
  around: z.array(stepSchema),
  nodes: z.array(
    z.strictObject({
      name: z.string(),
      role: z.string(),
      state: z.enum(STATES),
      step: stepSchema.optional(),
      /** Of its turn; absent before it begins, or where it was done in an earlier run. */
      elapsedSeconds: seconds.optional(),
      expectedSeconds: seconds,
    }),
  ),
  api: z.array(
    z.strictObject({
      target: z.string(),
      ms: z.number().optional(),
      /** Why there is no answer now. */
      error: z.string().optional(),
      etcd: z.boolean().optional(),
      longestGapSeconds: seconds,
    }),
  ),
  /** While no server answered at all. */
  anyServerGapSeconds: seconds.optional(),
  /** Why the API is not watched, where it is not. */
  notWatched: z.string().optional(),
  podsNotRunning: z.array(z.string()).optional(),
  podsMissing: z.string().optional(),
  ifItFails: z.strictObject({
    next: z.array(z.string()),
    lost: z.string(),
    snapshotAgeSeconds: seconds.optional(),
    objectiveSeconds: seconds,
    windowMinutesLeft: z.number().optional(),
    window: z.string(),
  }),
});
/** How a run stands. */
export type Status = z.infer<typeof statusSchema>;

/** What a status is made of. */
export interface StatusInputs {
  readonly run: number;
  readonly startedAt: string;
  readonly settings: Settings;
  readonly plan: PlanRecord;
  readonly progress: Progress;
  readonly watched: Watched;
  /** So far. */
  readonly availability: Availability;
  /** When the newest etcd snapshot of the accepted version was begun. */
  readonly snapshotTakenAt?: Date;
}

/** Pure. */
export function statusOf(inputs: StatusInputs, now: Date): Status {
  const { run, startedAt, settings, plan, progress, watched, availability, snapshotTakenAt } = inputs;
  const since = (from: number) => Math.max(0, Math.round((now.getTime() - from) / 1000));
  const working = atWork(plan, progress).map(({ id, title, node, expectedSeconds }) => ({
    node,
    step: {
      id,
      title,
      elapsedSeconds: since(progressOf(progress, id).beganAt ?? now.getTime()),
      expectedSeconds,
    },
  }));
  return {
    changeId: plan.changeId,
    run,
    at: now.toISOString(),
    startedAt,
    does: operatorsAlone(plan) ? goalOf(plan) : `${plan.direction}, RKE2 ${plan.from} → ${plan.to}`,
    ...position(plan, progress),
    elapsedSeconds: since(new Date(startedAt).getTime()),
    expectedSeconds: plan.expectedSeconds,
    around: working.filter(({ node }) => node === undefined).map(({ step }) => step),
    nodes: plan.nodes.map(({ name, role, expectedSeconds }) => ({
      name,
      role,
      state: nodeState(plan, progress, name),
      step: working.find(({ node }) => node === name)?.step,
      elapsedSeconds: turnSeconds(plan, progress, name, now),
      expectedSeconds,
    })),
    api: [...watched.latest.values()].map(({ target, ms, error, etcd }) => ({
      target,
      ms,
      error,
      etcd,
      longestGapSeconds: availability.targets.find((one) => one.target === target)?.longestGap.seconds ?? 0,
    })),
    anyServerGapSeconds: availability.anyServer?.seconds,
    notWatched: watched.latest.size > 0 ? undefined : (availability.notes.at(-1) ?? "not asked yet"),
    ...("missing" in watched.pods
      ? { podsMissing: watched.pods.missing }
      : { podsNotRunning: [...watched.pods.notRunning] }),
    ifItFails: { ...ifItFails(settings, plan, progress, now, snapshotTakenAt) } as Status["ifItFails"],
  };
}

/** How long a node's turn has taken in this run, from its first step to its last one or to now. */
function turnSeconds(plan: PlanRecord, progress: Progress, name: string, now: Date): number | undefined {
  const steps = turnSteps(plan, name).map(({ id }) => progressOf(progress, id));
  const worked = steps.filter(({ worked, state }) => worked && state !== "waiting");
  const began = worked.flatMap(({ beganAt }) => beganAt ?? []);
  if (began.length === 0) return undefined;
  const over = steps.every(({ state }) => state === "done") || steps.some(({ state }) => state === "failed");
  const last = over ? Math.max(...worked.flatMap(({ endedAt }) => endedAt ?? [])) : now.getTime();
  return Math.max(0, Math.round((last - Math.min(...began)) / 1000));
}

/** The status of a run; undefined where none is there, or it is of another version of this program. */
export async function readStatus(file: string): Promise<Status | undefined> {
  const text = await readFile(file, "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  return statusSchema.safeParse(JSON.parse(text)).data;
}
