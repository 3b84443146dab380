import type { Case } from "./ledger";

/** What was tried and how each ended, as a Markdown table: a row for each story and kind of interruption. */
export function table(cases: readonly Case[]): string {
  const groups = new Map<string, Case[]>();
  for (const one of cases) {
    const key = `| ${one.story} | ${one.how}`;
    groups.set(key, [...(groups.get(key) ?? []), one]);
  }
  const rows = [...groups].map(([key, group]) => {
    const well = group.filter(({ ended }) => ended === "went on").length;
    const bad = group.filter(({ ended }) => ended !== "went on").map(({ after }) => after);
    const steps = new Set(group.flatMap(({ after, beside = [] }) => [after, ...beside])).size;
    return `${key} | ${group.length} | ${steps} | ${well} | ${bad.join(", ") || "none"} |`;
  });
  return [
    "| story | run was | times | right after so many steps | went on | did not, after |",
    "|---|---|---|---|---|---|",
    ...rows,
  ].join("\n");
}
