/** Which operators a run moves, in words, and how each goes back by itself. Pure. */
import type { Operator } from "./operatorsSchema";
import type { Settings } from "./settings";

/** What there is of an operator. */
export interface OperatorSeen {
  readonly name: string;
  /** Of the release that is there; absent where there is none, or nobody could tell. */
  readonly version?: string;
  readonly moves: boolean;
}

/** An operator that a run moves. */
export interface OperatorMove {
  readonly name: string;
  readonly from?: string;
  readonly to: string;
  /** How it goes back. */
  readonly back: string;
  /** What that loses. */
  readonly lost: string;
}

/** Those that move, in the order of the config. */
export const movesOf = (
  { operators }: Pick<Settings, "operators">,
  seen: readonly OperatorSeen[],
): OperatorMove[] =>
  operators.flatMap((operator) => {
    const found = seen.find(({ name }) => name === operator.name);
    return found?.moves ? [moveOf(operator, found.version)] : [];
  });

function moveOf({ name, version: to, rancher }: Operator, from: string | undefined): OperatorMove {
  if (from === undefined)
    return {
      ...{ name, to },
      back: "no release of before is known; this program uninstalls none (docs/operators.md)",
      lost: "nothing",
    };
  // Other values alone move no data.
  return rancher && from !== to
    ? {
        ...{ name, from, to },
        back: `with its data: rancherVersion ${from}, and rancher.restore names its export (docs/rancher.md)`,
        lost: "what was changed in Rancher since its export",
      }
    : {
        ...{ name, from, to },
        back: `set its version ${from}, and its values, as they were (docs/operators.md)`,
        lost: "nothing; its CRDs stay",
      };
}

/** `cert-manager v1.20.0 → v1.21.2, traefik → 39.0.0` */
export const describeMoves = (moves: readonly Pick<OperatorMove, "name" | "from" | "to">[]): string =>
  moves
    .map(({ name, from, to }) =>
      from === to ? `${name} ${to} anew` : `${name} ${from === undefined ? "" : `${from} `}→ ${to}`,
    )
    .join(", ");

/** How they go back, a line each. */
export const describeMovesBack = (moves: readonly OperatorMove[]): string[] =>
  moves.map(({ name, back, lost }) => `${name} goes back by itself: ${back}; lost: ${lost}`);
