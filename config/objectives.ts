/** What a recovery may take and lose, by what has failed (procedure §6.2). */
import type { ClusterNode, Settings } from "./settings";

/** The four failures of procedure §6.2. */
export type Scenario = keyof Settings["objectives"]["rtoMinutes"];

export interface Objective {
  /** From the failure, or the decision to go back, until it is repaired. */
  readonly rtoMinutes: number;
  /** How much of what was written last may be lost. 0 for a worker: nothing of the cluster's state lies on it. */
  readonly rpoMinutes: number;
}

/** The objective for a failure. */
export function objectiveOf({ objectives }: Pick<Settings, "objectives">, scenario: Scenario): Objective {
  const { rtoMinutes, rpoMinutes } = objectives;
  return { rtoMinutes: rtoMinutes[scenario], rpoMinutes: scenario === "worker" ? 0 : rpoMinutes };
}

/** How much may be lost, in words; by the procedure's figure only where it is that. */
export const describeRpo = ({ objectives: { rpoMinutes } }: Pick<Settings, "objectives">): string =>
  `${rpoMinutes} min${rpoMinutes === 15 ? ", procedure §6.2" : ""}`;

/**
 * How old, in milliseconds, the newest etcd snapshot may become before the next one is begun, so that none is older
 * than the objective when it has arrived: a fifth is kept as a reserve, and what the last one took; never less than half.
 * @param tookMs how long the last one took; 0 before the first
 */
export function dueAfterMs({ objectives }: Pick<Settings, "objectives">, tookMs: number): number {
  const rpoMs = objectives.rpoMinutes * 60_000;
  return Math.max(rpoMs / 2, rpoMs * 0.8 - tookMs);
}

/** The server whose snapshot is tested: the configured one, else the first. */
export function restoreTestNode({
  servers,
  restoreTest,
}: Pick<Settings, "servers" | "restoreTest">): ClusterNode {
  return (servers.find(({ name }) => name === restoreTest.node) ?? servers[0]) as ClusterNode;
}
