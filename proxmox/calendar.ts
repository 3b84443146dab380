/** The calendar events in which Proxmox VE's backup jobs are scheduled (pvesh's own, after systemd's). Pure. */
import { DateTime } from "luxon";

/** When a job runs, by the wall clock of its host. */
export interface Calendar {
  /** ISO weekdays, 1 = Monday. */
  readonly weekdays: ReadonlySet<number>;
  readonly hours: ReadonlySet<number>;
  readonly minutes: ReadonlySet<number>;
}

const DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
/** Names for whole events that carry no date; `monthly` and the like do. */
const NAMES: Readonly<Record<string, string>> = {
  minutely: "*:*",
  hourly: "*:00",
  daily: "00:00",
  weekly: "mon 00:00",
};

/**
 * Reads `01:00`, `sun 02:30`, `mon..fri 02:00`, `mon,wed 22,23:15`, a step `0/6:00`, `*:0/30`.
 * @returns undefined for what is written in another way, dates among it
 */
export function parseCalendar(text: string): Calendar | undefined {
  const words = (NAMES[text.trim().toLowerCase()] ?? text).trim().toLowerCase().split(/\s+/);
  const time = words.pop() ?? "";
  if (words.length > 1) return undefined;
  const [hourText, minuteText, ...more] = time.includes(":") ? time.split(":") : ["*", time];
  if (more.length > 0 || hourText === undefined || minuteText === undefined) return undefined;
  const weekdays = words[0] === undefined ? all(1, 7) : parseDays(words[0]);
  const [hours, minutes] = [parseNumbers(hourText, 23), parseNumbers(minuteText, 59)];
  return weekdays && hours && minutes ? { weekdays, hours, minutes } : undefined;
}

/** The first run of a job at or after `from` and before `until`; undefined where there is none. */
export function firstRun(
  { weekdays, hours, minutes }: Calendar,
  timeZone: string,
  from: Date,
  until: Date,
): Date | undefined {
  // By the hour: every zone's offset is whole minutes, so an hour's minutes are found one by one.
  let hour = DateTime.fromJSDate(from, { zone: timeZone }).startOf("hour");
  for (; hour.toJSDate() < until; hour = hour.plus({ hours: 1 })) {
    if (!weekdays.has(hour.weekday) || !hours.has(hour.hour)) continue;
    const run = [...minutes]
      .sort((a, b) => a - b)
      .map((minute) => hour.set({ minute }).toJSDate())
      .find((one) => one >= from && one < until);
    if (run) return run;
  }
  return undefined;
}

const all = (first: number, last: number): Set<number> =>
  new Set(Array.from({ length: last - first + 1 }, (_, i) => first + i));

function parseDays(text: string): Set<number> | undefined {
  const found = new Set<number>();
  for (const part of text.split(",")) {
    const [first, last] = part.split("..").map((day) => DAYS.indexOf(day.slice(0, 3)) + 1);
    if (!first || last === 0) return undefined;
    for (const day of all(first, last ?? first)) found.add(day);
  }
  return found.size > 0 ? found : undefined;
}

/** A list of `*`, `5`, `5..9`, each perhaps with a step, `0/15`; a step from a number goes to the end. */
function parseNumbers(text: string, max: number): Set<number> | undefined {
  const found = new Set<number>();
  for (const part of text.split(",")) {
    const match = /^(\*|\d+)(?:\.\.(\d+))?(?:\/(\d+))?$/.exec(part);
    if (!match) return undefined;
    const [, from, to, step] = match;
    const first = from === "*" ? 0 : Number(from);
    const last = to !== undefined ? Number(to) : from === "*" || step !== undefined ? max : first;
    if (first > max || last > max || first > last || step === "0") return undefined;
    for (let n = first; n <= last; n += Number(step ?? 1)) found.add(n);
  }
  return found;
}
