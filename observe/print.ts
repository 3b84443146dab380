import type { Finding } from "./finding";

/** The findings as numbered lines, one a check: mark, check, figure, wanted value, and what to do where it fails. */
export function findingLines(findings: readonly Finding[]): { text: string; warn: boolean }[] {
  const width = String(findings.length).length;
  return findings.map(({ check, found, wanted, verdict, next }, i) => {
    const mark = { pass: "ok", warn: "WARN", fail: "FAIL", "not measured": "NOT MEASURED" }[verdict];
    const wantedText =
      verdict === "pass" ? `wanted ${wanted}` : `wanted ${wanted}; next: ${next ?? "see above"}`;
    return {
      text: `${String(i + 1).padStart(width)}. ${mark}  ${check}: ${found} (${wantedText})`,
      warn: verdict !== "pass",
    };
  });
}
