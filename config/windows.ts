/** Maintenance windows: when they are open, in wall-clock time of their own zone (procedure §3.1). Pure. */
import { DateTime } from "luxon";

export const DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;

/** One recurring window. `end` at or before `start` is on the next day; `24:00` is that day's end. */
export interface MaintenanceWindow {
  readonly days: readonly (typeof DAYS)[number][];
  /** `HH:MM` on the wall clock of `timeZone`, as `end` is. */
  readonly start: string;
  readonly end: string;
  /** A zone of the IANA database, `Europe/Berlin`, or UTC. */
  readonly timeZone: string;
}

/** A stretch of time, windows that touch each other joined. */
export interface Span {
  readonly start: Date;
  readonly end: Date;
}

/** How far is looked: a week back for one that began earlier, two weeks ahead for one that comes every week. */
const DAYS_BACK = 8;
const DAYS_AHEAD = 15;

/** The stretch that is open at a moment; undefined while all windows are closed. */
export const openAt = (windows: readonly MaintenanceWindow[], at: Date): Span | undefined =>
  spansAround(windows, at).find(({ start, end }) => start <= at && at < end);

/** The first stretch that begins after a moment; undefined where none does within two weeks. */
export const nextAfter = (windows: readonly MaintenanceWindow[], at: Date): Span | undefined =>
  spansAround(windows, at).find(({ start }) => start > at);

/** Every stretch around a moment, in order, none touching the next. */
function spansAround(windows: readonly MaintenanceWindow[], at: Date): Span[] {
  const occurrences = windows
    .flatMap((window) => occurrencesOf(window, at))
    .sort((a, b) => a.start.getTime() - b.start.getTime());
  const joined: Span[] = [];
  for (const next of occurrences) {
    const last = joined.at(-1);
    if (!last || next.start > last.end) joined.push(next);
    else if (next.end > last.end) joined[joined.length - 1] = { start: last.start, end: next.end };
  }
  return joined;
}

function occurrencesOf({ days, start, end, timeZone }: MaintenanceWindow, at: Date): Span[] {
  const today = DateTime.fromJSDate(at, { zone: timeZone }).startOf("day");
  const overnight = end <= start ? 1 : 0;
  return Array.from({ length: DAYS_BACK + DAYS_AHEAD + 1 }, (_, i) => today.plus({ days: i - DAYS_BACK }))
    .filter((day) => days.includes(DAYS[day.weekday - 1] ?? "mon"))
    .map((day) => ({
      start: instant(day, start, "late"),
      end: instant(day.plus({ days: overnight }), end, "early"),
    }))
    .filter((span) => span.start < span.end);
}

/**
 * The moment at which a wall clock shows a time on a day. Where the clocks are set back it shows it twice, where they
 * are set forward never: `late` takes the later reading and `early` the earlier, so that no window grows by it.
 */
export function instant(day: DateTime, time: string, pick: "early" | "late"): Date {
  const [hour = 0, minute = 0] = time.split(":").map(Number);
  if (hour === 24) return instant(day.plus({ days: 1 }), "00:00", pick);
  const read = day.set({ hour, minute, second: 0, millisecond: 0 });
  // Luxon moves a time that was skipped forward by the gap.
  const skipped = read.hour * 60 + read.minute - (hour * 60 + minute);
  const readings = skipped > 0 ? [read.minus({ minutes: skipped }), read] : read.getPossibleOffsets();
  const sorted = readings.map((one) => one.toJSDate()).sort((a, b) => a.getTime() - b.getTime());
  return (pick === "early" ? sorted[0] : sorted.at(-1)) ?? read.toJSDate();
}

/** A moment as people say it, in UTC: `Sun 2026-09-06 01:00 UTC`. */
export const utc = (at: Date): string =>
  DateTime.fromJSDate(at, { zone: "utc" }).setLocale("en").toFormat("ccc yyyy-MM-dd HH:mm 'UTC'");

/** A window as people say it: `sun 01:00–05:00 UTC`. */
export const describeWindow = ({ days, start, end, timeZone }: MaintenanceWindow): string =>
  `${days.length === DAYS.length ? "daily" : days.join(",")} ${start}–${end} ${timeZone}`;
