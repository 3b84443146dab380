import type { Settings } from "../config";
import { type Finding, judgeRancher, judgeReleases, type RancherFacts, type Releases } from "../observe";
import type { Look } from "../observe/look";
import { isLetThrough, type LetThrough, movedByHand } from "./letThrough";

/** What the operators' gate has seen of the releases. */
export interface OperatorsSeen {
  readonly releases: Look<Releases>;
  /** Names of those that were moved by hand. */
  readonly byHand: ReadonlySet<string>;
  /** Names of those that helm has work on. */
  readonly toMove: ReadonlySet<string>;
  /** Both there where Rancher moves. */
  readonly rancherFacts?: Look<RancherFacts>;
  readonly rancherChart?: Look<string>;
}

/**
 * Judges the releases, one finding each, then Rancher. Pure. A node in its turn does not wait for a Rancher that was let
 * through as it is asked for now; one that is asked for otherwise moves before all nodes.
 * @param known what was let through before
 * @param unfinished whether a node is in its turn
 */
export function judgeOperators(
  settings: Settings,
  { releases, byHand, toMove, rancherFacts, rancherChart }: OperatorsSeen,
  known: LetThrough,
  unfinished: boolean,
): Finding[] {
  const rancher = settings.operators.find((one) => one.rancher);
  const waived = unfinished && rancher !== undefined && isLetThrough(rancher, known);
  const moves = rancher !== undefined && toMove.has(rancher.name);
  const held = new Set(Object.keys(known));
  return [
    ...judgeReleases(settings, releases, { held, movedByHand: byHand, inTurn: unfinished }),
    ...(rancherFacts && !waived ? judgeRancher(settings, rancherFacts, rancherChart, moves) : []),
  ];
}

/**
 * Judges the releases in a preview, in the gate's own words. Pure.
 * @param inState what the stack's state knows: the names of those that it holds, and what the gate remembers; undefined where
 *   the gate itself is to come
 */
export const foreseeReleases = (
  settings: Settings,
  releases: Look<Releases>,
  inState: { readonly held: string; readonly known: LetThrough } | undefined,
  inTurn: boolean,
): Finding[] =>
  judgeReleases(settings, releases, {
    held: inState && new Set(inState.held.split(" ")),
    movedByHand: namesMovedByHand(settings, "value" in releases ? releases.value : new Map(), inState?.known),
    inTurn,
  });

/** Names of the operators that were moved by hand. Pure. */
export const namesMovedByHand = (
  settings: Settings,
  live: Releases,
  known: LetThrough = {},
): ReadonlySet<string> => new Set(movedByHand(settings, live, known).map(({ name }) => name));
