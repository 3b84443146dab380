import type { Settings } from "../config";
import { type Finding, judgeRancher, judgeReleases, type RancherFacts, type Releases } from "../observe";
import type { Look } from "../observe/look";
import { isLetThrough, type LetThrough } from "./letThrough";

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
