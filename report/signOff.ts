/** The sign-off of Operations, who answer for the validation after an upgrade (procedure §2.3). Pure. */
import { NAMESPACE, type Settings } from "../config";
import type { Evidence } from "./evidenceSchema";
import type { PlanRecord } from "./planSchema";

/** This change's, as the config states it; undefined where there is none: one that names another change is not for this. */
export function signOffOf({
  signOff,
  changeId,
}: Pick<Settings, "signOff" | "changeId">): Evidence["signOff"] {
  return signOff.changeId === changeId && signOff.by ? { by: signOff.by, at: signOff.at } : undefined;
}

/** Why a plan may not be carried out yet; undefined where it may. Acceptance alone is signed off, of a version or a round of OS patches. */
export function missingSignOff(
  settings: Pick<Settings, "signOff" | "changeId">,
  { direction, accepts = true }: Pick<PlanRecord, "direction" | "accepts">,
): { readonly missing: string; readonly next: string } | undefined {
  const { signOff, changeId } = settings;
  if (direction !== "settled" || !accepts || !signOff.required || signOffOf(settings)) return undefined;
  const set = (key: string, value: string) =>
    `pulumi config set --path '${NAMESPACE}:signOff.${key}' ${value}`;
  const found =
    signOff.changeId !== undefined && signOff.changeId !== changeId
      ? `signOff.changeId is ${signOff.changeId}, this change is ${changeId}`
      : `signOff.${signOff.changeId === undefined ? "changeId" : "by"} is not set`;
  return {
    missing: `Operations have not signed the validation off (procedure §2.3, signOff.required): ${found}`,
    next: `once they have: ${set("changeId", changeId)}; ${set("by", "NAME")}; ${set("at", "'2026-11-29T05:10Z'")}`,
  };
}
