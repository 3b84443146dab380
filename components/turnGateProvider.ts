import { gateProvider } from "./gateProvider";
import { askBeforeTurn, finished, type TurnInputs } from "./turnQuestions";

/** The provider behind {@link TurnGate}. */
export const provider = gateProvider<TurnInputs>({
  id: ({ node }) => `turn-${node}`,
  compares: ["node", "wanted", "accepted", "changeId", "attempt", "owner"],
  isDone: async ({ node }) => (await finished()).has(node),
  ask: askBeforeTurn,
});
