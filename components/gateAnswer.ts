import type { Finding } from "../observe";
import type { Cost } from "../observe/cost";
import { findingLines } from "../observe/print";

/** What a gate leaves in the stack's state: the evidence that it was asked, of what it found, and what asking cost. */
export interface GateAnswer {
  /** A line a check. */
  readonly found: string[];
  /** RFC 3339, UTC. */
  readonly askedAt: string;
  readonly cost: Cost;
}

/** A gate's answer, now. */
export const gateAnswer = (findings: readonly Finding[], cost: Cost): GateAnswer => ({
  found: findingLines(findings).map(({ text }) => text),
  askedAt: new Date().toISOString(),
  cost,
});
