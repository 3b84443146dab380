/** What differs between two of Pulumi's plan files, where only the time of their making should. Pure. */
import { z } from "zod";
import { canonical } from "./canonical";
import { nameOf } from "./preview";

const planSchema = z.object({
  resourcePlans: z.record(
    z.string(),
    z.object({
      goal: z.object({ inputDiff: z.unknown(), dependencies: z.array(z.string()).default([]) }).optional(),
      steps: z.array(z.string()).default([]),
    }),
  ),
});

/** Every difference in resources, operations and inputs, a line each; at most twenty, and how many more there are. */
export function planDifferences(before: string, now: string): string[] {
  const [old, fresh] = [plansOf(before), plansOf(now)];
  const urns = [...new Set([...Object.keys(old), ...Object.keys(fresh)])].sort();
  const lines = urns.flatMap((urn) => {
    const [a, b] = [old[urn], fresh[urn]];
    const name = nameOf(urn);
    if (!a || !b) return [`Pulumi's plan: ${name} is ${a ? "no longer in it" : "new in it"}`];
    if (canonical(a.steps) !== canonical(b.steps)) {
      return [
        `Pulumi's plan: ${name}: ${a.steps.join("+") || "nothing"} then, ${b.steps.join("+") || "nothing"} now`,
      ];
    }
    return canonical(inputsOf(a)) === canonical(inputsOf(b))
      ? []
      : [`Pulumi's plan: ${name}: its inputs are others`];
  });
  return atMostTwenty(lines);
}

/**
 * Everything that a plan would do that the one before would not, a line each: a resource that was not in it, an operation
 * that it did not hold. An update of what it would have created is none: the run before has created it, and a gate is
 * asked again. What has been done and is left alone now is none either.
 */
export function furtherReaching(before: string, now: string): string[] {
  const old = plansOf(before);
  const lines = Object.entries(plansOf(now)).flatMap(([urn, { steps }]) => {
    const then = old[urn]?.steps;
    if (!then) return [`Pulumi's plan: ${nameOf(urn)} is new in it`];
    const further = steps.filter(
      (op) => op !== "same" && !then.includes(op) && !(op === "update" && then.includes("create")),
    );
    return further.length === 0
      ? []
      : [`Pulumi's plan: ${nameOf(urn)}: ${then.join("+") || "nothing"} then, ${further.join("+")} now`];
  });
  return atMostTwenty(lines);
}

/** Whether a plan leaves a resource as it is. */
export const leavesAlone = (plan: string, name: string): boolean =>
  Object.entries(plansOf(plan)).some(
    ([urn, { steps }]) => nameOf(urn) === name && steps.length > 0 && steps.every((op) => op === "same"),
  );

const plansOf = (text: string): Plans => planSchema.parse(JSON.parse(text)).resourcePlans;

const atMostTwenty = (lines: string[]): string[] =>
  lines.length <= 20 ? lines : [...lines.slice(0, 20), `Pulumi's plan: and ${lines.length - 20} more`];

type Plans = z.output<typeof planSchema>["resourcePlans"];

const inputsOf = ({ goal }: Plans[string]): unknown => [
  withoutSecrets(goal?.inputDiff),
  [...(goal?.dependencies ?? [])].sort(),
];

/** The mark of a secret in Pulumi's files. Its ciphertext is another each time. */
const SECRET = "4dabf18193072939515e22adb298388d";

function withoutSecrets(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutSecrets);
  if (typeof value !== "object" || value === null) return value;
  if (SECRET in value) return "[secret]";
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, withoutSecrets(inner)]));
}
