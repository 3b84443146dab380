import type { Finding } from "../observe";

/** What nobody could measure stops a change as a failure does. */
export const stops = ({ verdict }: Finding): boolean => verdict === "fail" || verdict === "not measured";

/**
 * One message with every finding that stops a change.
 * @param state what this means for the cluster, as the sentence's beginning: `nothing was touched`
 * @param when which checks these are: `before a change`
 */
export function refusal(state: string, when: string, findings: readonly Finding[]): string {
  const lines = findings.flatMap(({ check, found, wanted, next }) => [
    `- ${check}: ${found}; wanted ${wanted}`,
    ...(next ? [`    next: ${next}`] : []),
  ]);
  return `${state}: ${findings.length} of the checks ${when} do not hold.\n${lines.join("\n")}\nMend them and run pulumi up again.`;
}
