/** What every node remembered when the preflight asked: a gate looks at few nodes, and must expect what preview told. */
import type { Measured } from "../config";

// All providers of a run share one process. Without a preflight in it, a gate knows what it reads itself.
let before: readonly Measured[] = [];

/** Keeps it for the gates of this run. */
export function rememberMeasured(measured: readonly Measured[]): void {
  before = measured;
}

/** What the preflight of this run has read; nothing where there was none. */
export const measuredBefore = (): readonly Measured[] => before;
