/** What happened, step by step, beside what was planned. Pure. */
import type { Resource } from "./evidenceSchema";
import type { PlanRecord } from "./planSchema";
import type { ReportStep } from "./reportSchema";
import { stepOf } from "./stepName";

/** Fields of a step's own line that stand in columns of their own. */
const OWN = ["step", "node", "startedAt", "seconds"];

/** Every step that has happened, in the order in which they ended, then the planned ones that have not. */
export function stepsOf(resources: readonly Resource[], plan: PlanRecord | undefined): ReportStep[] {
  const planned = new Map(plan?.steps.map((step) => [step.id, step]));
  const seen = new Set<string>();
  const happened = resources.map((resource): ReportStep => {
    const id = stepOf(resource.name, planned);
    if (id) seen.add(id);
    const step = id ? planned.get(id) : undefined;
    return {
      name: id ?? resource.name,
      node: step?.node,
      planned: step !== undefined,
      expectedSeconds: step?.expectedSeconds,
      attempt: resource.attempt,
      ...timeOf(resource),
      outcome: outcomeOf(resource),
    };
  });
  // The change itself and the version manifest are no steps that took time.
  const missing = [...planned.values()].filter(({ id }) => !seen.has(id) && id !== "change");
  return [
    ...happened,
    ...missing.map(
      (step): ReportStep => ({
        name: step.id,
        node: step.node,
        planned: true,
        expectedSeconds: step.expectedSeconds,
        outcome: "not done",
      }),
    ),
  ];
}

/** When it ran and for how long: by its own word; where it says only one of the two, the engine's clock says its end. */
export function timeOf({
  result,
  modified,
  askedAt,
  kind,
}: Resource): Pick<ReportStep, "startedAt" | "seconds" | "endedAt"> {
  const seconds = typeof result?.seconds === "number" ? result.seconds : undefined;
  const startedAt = result?.startedAt ?? (kind === "VmSnapshot" ? result?.takenAt : undefined);
  if (typeof startedAt === "string" && !Number.isNaN(Date.parse(startedAt))) {
    const endedAt = seconds === undefined ? modified : plus(startedAt, seconds);
    return { startedAt: iso(startedAt), seconds, endedAt };
  }
  const end = askedAt || modified;
  if (!end) return {};
  return { startedAt: seconds === undefined ? undefined : plus(end, -seconds), seconds, endedAt: iso(end) };
}

function outcomeOf({ kind, result, found }: Resource): string {
  if (found) {
    const holding = found.filter((line) => /^ *\d+\. ok /.test(line)).length;
    return `${holding} of ${found.length} checks held`;
  }
  const rest = Object.entries(result ?? {}).filter(([key]) => !OWN.includes(key));
  if (kind === "Job") return "ran to its end";
  if (kind === "ConfigMap") return "written";
  if (!result) return "not measured: it said nothing of itself";
  return rest.map(([key, value]) => `${key} ${value}`).join(", ") || "done";
}

const iso = (text: string): string => new Date(text).toISOString();
const plus = (text: string, seconds: number): string =>
  new Date(new Date(text).getTime() + seconds * 1000).toISOString();
