import type { Finding } from "../observe";
import type { Cost } from "../observe/cost";
import { findingLines } from "../observe/print";
import { whoRuns } from "./operator";

/** What a gate leaves in the stack's state: the evidence that it was asked, of what it found, and what asking cost. */
export interface GateAnswer {
  /** A line a check. */
  readonly found: string[];
  /** RFC 3339, UTC. */
  readonly askedAt: string;
  /** Who ran the `up` that asked, where, and from where: Pulumi's own history does not say. */
  readonly askedBy: string;
  readonly cost: Cost;
}

/** A gate's answer, now. */
export const gateAnswer = (findings: readonly Finding[], cost: Cost): GateAnswer => ({
  found: findingLines(findings).map(({ text }) => text),
  askedAt: new Date().toISOString(),
  askedBy: whoRuns(),
  cost,
});
