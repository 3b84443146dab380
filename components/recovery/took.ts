import { outageBeganAt, type WayBackRecord } from "./record";

/** What a way back took and lost, in seconds. */
export interface Took {
  /** From the first question, of whichever attempt, to the proof. */
  readonly rtoSeconds: number;
  /** From the etcd snapshot until it was placed, when everything stood still: so much at most was written and lost. */
  readonly rpoSeconds: number;
}

/** Measures a way back by its record. Pure. */
export function whatItTook(record: WayBackRecord, endedAt: string): Took {
  const began = outageBeganAt(record);
  const between = (from: string, to: string) =>
    Math.round((new Date(to).getTime() - new Date(from).getTime()) / 1000);
  const { placed } = record;
  return {
    rtoSeconds: between(began, endedAt),
    // A record of an older program does not say when.
    rpoSeconds: placed ? between(placed.takenAt, placed.at ?? began) : 0,
  };
}
