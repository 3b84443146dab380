/** What is announced, and for when. Pure. */
import { DateTime } from "luxon";
import { duration, nextAfter, openAt, type Settings, type Span, utc } from "../config";
import { describeWindow } from "../config/windows";
import { operatorsAlone } from "./goal";
import type { PlanRecord } from "./planSchema";

type Windows = Pick<Settings, "windows" | "windowOverride" | "changeId">;

/**
 * When the change is to be: the next maintenance window, or from a given moment of one.
 * @param at as it was asked for
 * @throws where there is no such window
 */
export function announcedFor(
  { windows, windowOverride, changeId }: Windows,
  expectedSeconds: number,
  now: Date,
  at?: string,
): Span {
  const known = windows.map(describeWindow).join("; ");
  const leaves = windowOverride === changeId;
  if (at === undefined) {
    const next = leaves ? undefined : nextAfter(windows, now);
    if (next) return next;
    const why = leaves
      ? "this change may leave its window (windowOverride)"
      : `no window opens within two weeks of ${known}`;
    throw new Error(`when is it to be? ${why}. next: announce --at 2026-11-29T01:00Z`);
  }
  const start = /T.*(Z|[+-]\d\d:?\d\d)$/.test(at) ? DateTime.fromISO(at).toJSDate() : new Date(Number.NaN);
  if (Number.isNaN(start.getTime()))
    throw new Error(`--at ${at} is no moment with its zone. next: announce --at 2026-11-29T01:00Z`);
  if (start <= now) throw new Error(`--at ${at} is over. next: announce --at a moment that is to come`);
  const open = openAt(windows, start);
  if (open) return { start, end: open.end };
  if (leaves) return { start, end: new Date(start.getTime() + Math.ceil(expectedSeconds / 60) * 60_000) };
  throw new Error(
    `--at ${at} lies in no maintenance window (${known}). next: leave --at out for the next one, or allow this change to leave it: pulumi config set rke2-upgrade:windowOverride ${changeId}`,
  );
}

/** Its words. */
export function announcementOf(plan: PlanRecord, { start, end }: Span): { subject: string; text: string } {
  const what =
    operatorsAlone(plan) ??
    (plan.direction === "settled" ? `RKE2 ${plan.to} is settled on` : `RKE2 ${plan.from} → ${plan.to}`);
  const lines = [
    plan.summary,
    "",
    `When: ${utc(start)} until ${utc(end)}`,
    `Expected to take: ${duration(plan.expectedSeconds)}`,
    `Nodes: ${plan.nodes.map(({ name }) => name).join(", ")}`,
    "",
    "What will be felt, or may go wrong:",
    ...plan.risks.map(({ risk }) => `- ${risk}`),
    "",
    "Who is told when:",
    ...plan.notices.map(({ when, who, what }) => `- ${when}: ${who}: ${what}`),
    "",
    `The change request ${plan.changeId} says all of it: steps, checks, the way back. Its digest: ${plan.digest.value}`,
  ];
  return { subject: `${plan.changeId}: ${what}, ${utc(start)}`, text: lines.join("\n") };
}
