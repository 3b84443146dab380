/** What a run's series comes to: how long the API was away, and how fast it answered. Pure. */
import { z } from "zod";
import { API_ADDRESS, type Line, type Sample } from "./series";

const gap = z.strictObject({
  seconds: z
    .number()
    .nonnegative()
    .describe("From the last good answer to the next one, with at least one that failed between them."),
  from: z.iso.datetime().optional().describe("Absent where every answer was good."),
});

const target = z.strictObject({
  target: z.string().describe("A server, or apiAddress."),
  samples: z.number().int().nonnegative(),
  missing: z.number().int().nonnegative().describe("Samples without a good answer."),
  longestGap: gap,
  p50Ms: z.number().optional().describe("Of the good answers; absent where there was none."),
  p99Ms: z.number().optional(),
  etcdFailed: z
    .number()
    .int()
    .nonnegative()
    .describe("Samples in which this API server's own check of its etcd failed."),
});

/** The API through one run. */
export const availabilitySchema = z.strictObject({
  run: z.number().int().positive(),
  from: z.iso.datetime().optional().describe("The first sample's time; absent where there was none."),
  to: z.iso.datetime().optional(),
  targets: z.array(target),
  anyServer: gap
    .optional()
    .describe("While no server at all gave a good answer; absent where none was asked."),
  unwatchedSeconds: z
    .number()
    .nonnegative()
    .describe("The longest time in which the watch itself asked nobody: what happened then is not measured."),
  podsNotRunning: z
    .strictObject({ samples: z.number().int(), most: z.number().int() })
    .optional()
    .describe("Absent where the pods could not be listed."),
  notes: z.array(z.string()).describe("Why something was not measured."),
});
export type Availability = z.infer<typeof availabilitySchema>;
type Gap = z.infer<typeof gap>;

/** A stretch of time, milliseconds. */
interface Stretch {
  readonly from: number;
  readonly to: number;
}

export function availability(run: number, series: readonly Line[]): Availability {
  const samples = series
    .filter((line): line is Sample => "target" in line)
    .sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
  const names = [...new Set(samples.map(({ target }) => target))];
  const byTarget = new Map(names.map((name) => [name, samples.filter(({ target }) => target === name)]));
  const servers = names.filter((name) => name !== API_ADDRESS);
  const gapsOf = (name: string) => gaps(byTarget.get(name) ?? []);
  const away = servers.map(gapsOf).reduce<Stretch[] | undefined>((a, b) => (a ? both(a, b) : b), undefined);
  const pods = series.flatMap((line) => ("podsNotRunning" in line ? line.podsNotRunning : []));
  return {
    run,
    from: samples[0]?.at,
    to: samples.at(-1)?.at,
    targets: names.map((name) => targetOf(name, byTarget.get(name) ?? [])),
    anyServer: away && longest(away),
    unwatchedSeconds: unwatched(samples),
    podsNotRunning: pods.length > 0 ? { samples: pods.length, most: Math.max(...pods) } : undefined,
    notes: [...new Set(series.flatMap((line) => ("note" in line ? line.note : [])))],
  };
}

function targetOf(name: string, samples: readonly Sample[]): Availability["targets"][number] {
  const ms = samples.flatMap((sample) => sample.ms ?? []).sort((a, b) => a - b);
  return {
    target: name,
    samples: samples.length,
    missing: samples.length - ms.length,
    longestGap: longest(gaps(samples)),
    p50Ms: percentile(ms, 50),
    p99Ms: percentile(ms, 99),
    etcdFailed: samples.filter(({ etcd }) => etcd === false).length,
  };
}

/** By nearest rank: a latency that was measured. */
const percentile = (sorted: readonly number[], percent: number): number | undefined =>
  sorted[Math.max(0, Math.ceil((sorted.length * percent) / 100) - 1)];

const ms = (text: string): number => new Date(text).getTime();

/**
 * When one target was away, as long as it may have been: from its last good answer to its next one. At the series' ends,
 * from the first asking and to the last one.
 */
export function gaps(samples: readonly Sample[]): Stretch[] {
  const found: Stretch[] = [];
  let [good, open]: [number | undefined, boolean] = [undefined, false];
  for (const sample of samples) {
    const asked = ms(sample.at);
    good ??= asked;
    if (sample.ms === undefined) open = true;
    else {
      const answered = asked + sample.ms;
      if (open) found.push({ from: good, to: answered });
      [good, open] = [answered, false];
    }
  }
  const last = samples.at(-1);
  if (open && good !== undefined && last) found.push({ from: good, to: ms(last.at) });
  return found;
}

/** The stretches that are in both. */
function both(a: readonly Stretch[], b: readonly Stretch[]): Stretch[] {
  return a.flatMap((one) =>
    b.flatMap((other) => {
      const [from, to] = [Math.max(one.from, other.from), Math.min(one.to, other.to)];
      return from < to ? [{ from, to }] : [];
    }),
  );
}

function longest(stretches: readonly Stretch[]): Gap {
  const found = stretches.reduce<Stretch | undefined>(
    (a, b) => (a && a.to - a.from >= b.to - b.from ? a : b),
    undefined,
  );
  return found
    ? { seconds: tenths(found.to - found.from), from: new Date(found.from).toISOString() }
    : { seconds: 0 };
}

const unwatched = (samples: readonly Sample[]): number =>
  tenths(Math.max(0, ...samples.slice(1).map(({ at }, i) => ms(at) - ms(samples[i]?.at ?? at))));

const tenths = (value: number): number => Math.round(value / 100) / 10;
