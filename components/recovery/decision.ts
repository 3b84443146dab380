import { describeWaysBack, type Settings } from "../../config";
import { describeCriteria, type Facts, judgeCriteria } from "../../observe";
import { situationOf } from "./situation";

/** The decision of procedure §4.3 in lines: whether its criteria are met, and which way back fits. Never throws. */
export async function describeDecision(
  settings: Settings,
  facts: Facts,
  sshPrivateKey: string,
): Promise<string[]> {
  const situation = await situationOf(settings, facts, sshPrivateKey);
  return [
    ...describeCriteria(judgeCriteria(settings, facts, situation.etcdWhole)),
    ...describeWaysBack(settings, situation),
  ];
}
