import type { Operator, Settings } from "../config";
import { isVersion, type Releases, releaseId, toBeMoved } from "../observe";
import { digestOf } from "./operatorsGate";

/** What the operators' gate remembers of one that it let through. */
interface Let {
  /** Of all that was asked for of it, as {@link digestOf} makes it. */
  readonly digest: string;
  /** helm's revision that it found, 0 where there was none: what is asked for, if it ever came, came after that one. */
  readonly since: number;
  /** helm's revision that it found, as asked for or not: what is later has come since. Undefined in older states. */
  readonly found?: number;
}

/** By the operator's name: those are this stack's. */
export type LetThrough = Readonly<Record<string, Let>>;

/**
 * The operators that were as asked for, and that somebody has moved since. Pure. To Pulumi they still are as asked for: it
 * compares what is asked, so it would never move them back. A revision that was replaced since it was let through tells
 * them from those whose turn has not come, that failed or were killed: such a revision was never deployed. So does one that
 * failed on top of one that is as asked for and has come since: what Pulumi has brought there it does not bring again.
 */
export function movedByHand(settings: Settings, releases: Releases, before: LetThrough): Operator[] {
  return toBeMoved(settings, releases).filter((operator) => {
    const [live, known] = [releases.get(releaseId(operator)), remembered(operator, before)];
    if (known === undefined || live === undefined) return false;
    const { status, replaced = 0, deployed } = live;
    if (status === "deployed") return replaced > known.since;
    const came = deployed !== undefined && known.found !== undefined && deployed.revision > known.found;
    return came && isVersion(deployed, operator.version);
  });
}

/**
 * What the gate remembers once it has let these through. Pure.
 * @param stopped names of those that it did not let through, and would have stopped for: of them it keeps what it knew
 */
export function letThrough(
  settings: Settings,
  releases: Releases,
  before: LetThrough,
  stopped: ReadonlySet<string>,
): LetThrough {
  const toMove = new Set(toBeMoved(settings, releases));
  return Object.fromEntries(
    settings.operators.flatMap((operator): [string, Let][] => {
      const { name } = operator;
      const known = before[name];
      if (stopped.has(name)) return known ? [[name, known]] : [];
      const keeps = remembered(operator, before);
      if (keeps && !toMove.has(operator)) return [[name, keeps]];
      const found = releases.get(releaseId(operator))?.revision ?? 0;
      const since = toMove.has(operator) ? found : found - 1;
      return [[name, { digest: digestOf([operator]), since, found }]];
    }),
  );
}

/** Whether an operator was let through as it is asked for now. Pure. */
export const isLetThrough = (operator: Operator, before: LetThrough): boolean =>
  remembered(operator, before) !== undefined;

/** What it knows of an operator of which nothing else is asked for than then. */
function remembered(operator: Operator, before: LetThrough): Let | undefined {
  const known = before[operator.name];
  return known?.digest === digestOf([operator]) ? known : undefined;
}
