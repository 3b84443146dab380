/** The API's availability in a sentence (procedure §4.1). Pure. */
import { allRuns } from "../allRuns";
import type { Evidence } from "../evidenceSchema";
import type { Statement } from "../reportSchema";

export function availabilityStatement(evidence: Evidence): Statement {
  const { availability } = evidence;
  const watched = availability.filter(({ targets }) => targets.length > 0);
  if (watched.length === 0) {
    return {
      text: "API availability (longest gap, p99 latency): not measured",
      measured: false,
      source:
        "no run of change apply watched the API; each node's verification watched it during its soak (§4.1)",
    };
  }
  const targets = watched.flatMap((one) => one.targets);
  const worst = Math.max(...targets.map(({ longestGap }) => longestGap.seconds));
  const servers = watched.flatMap(({ anyServer }) => anyServer?.seconds ?? []);
  const p99 = targets.flatMap(({ p99Ms }) => p99Ms ?? []);
  const samples = targets.reduce((sum, one) => sum + one.samples, 0);
  const runs = allRuns(evidence).length;
  const unwatched = runs - watched.length;
  return {
    text: [
      `API: longest gap of one target ${worst} s`,
      servers.length > 0
        ? `of all servers at once ${Math.max(...servers)} s`
        : "of all servers at once not measured",
      p99.length > 0 ? `p99 latency of the slowest target ${Math.max(...p99)} ms` : "no good answer",
      ...(unwatched > 0 ? [`${unwatched} of ${runs} runs were not watched`] : []),
    ].join("; "),
    measured: true,
    source: `${samples} samples, /readyz once a second: ${watched.map(({ run }) => `run-${run}.watch.jsonl`).join(", ")}`,
  };
}
