/** The decision of procedure §4.3 after a run that failed: a step's failure comes from the engine, which looks at nothing. */
import { decideAnew, tellsDecision } from "../components/recovery/decision";
import type { Settings } from "../config";
import { type StackChoice, stackSecret } from "./pulumi";

/**
 * In lines; empty where an error holds it already, or no change goes forward. Bounded; never throws.
 * @param errors what the run's engine said of its failures
 */
export async function decisionAfter(
  errors: readonly string[],
  settings: Settings,
  stack: StackChoice,
): Promise<string[]> {
  if (errors.some(tellsDecision)) return [];
  return decideAnew(settings, async () => {
    const key = await stackSecret("sshPrivateKey", stack);
    if (key === undefined) throw new Error("pulumi config get does not give sshPrivateKey");
    return key;
  });
}
