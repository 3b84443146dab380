import type { Finding } from "./finding";

/** What a check asks and what it wants, before anybody answered. */
export type Question = Pick<Finding, "check" | "wanted">;

/**
 * Checks that share one reason why nobody knows. Each stands there by its name, since a check that is not listed looks
 * like one that was never wanted.
 */
export const unmeasured = (questions: readonly Question[], reason: string, next: string): Finding[] =>
  questions.map((question) => unknown(question, reason, next));

/** What one check would have said. */
export const unknown = ({ check, wanted }: Question, reason: string, next: string): Finding => ({
  check,
  found: reason,
  wanted,
  verdict: "not measured",
  next,
});
