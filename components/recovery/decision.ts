import { describeWaysBack, type Settings } from "../../config";
import { describeCriteria, type Facts, judgeCriteria } from "../../observe";
import { changeOfObjects } from "../keptCensus";
import { situationOf } from "./situation";

/** The decision of procedure §4.3 in lines: whether its criteria are met, and which way back fits. Never throws. */
export async function describeDecision(
  settings: Settings,
  facts: Facts,
  sshPrivateKey: string,
): Promise<string[]> {
  const [situation, objects] = await Promise.all([
    situationOf(settings, facts, sshPrivateKey),
    changeOfObjects(settings, sshPrivateKey),
  ]);
  return [
    ...describeCriteria(judgeCriteria(settings, facts, { ...situation, objects })),
    ...describeWaysBack(settings, situation),
  ];
}
