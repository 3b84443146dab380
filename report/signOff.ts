/** The sign-off of Operations, who answer for the validation after an upgrade (procedure §2.3). Pure. */
import { NAMESPACE, type Settings } from "../config";
import type { Evidence, Update } from "./evidenceSchema";
import type { PlanRecord } from "./planSchema";

/** This change's, as the config states it; undefined where there is none: one that names another change is not for this. */
export function signOffOf({
  signOff,
  changeId,
}: Pick<Settings, "signOff" | "changeId">): Evidence["signOff"] {
  return signOff.changeId === changeId && signOff.by ? { by: signOff.by, at: signOff.at } : undefined;
}

/** Whether a plan's run lets the way back go, of a version or a round of OS patches: that alone is signed off. */
export const letsGo = ({ direction, accepts = true }: Pick<PlanRecord, "direction" | "accepts">): boolean =>
  direction === "settled" && accepts;

/** When the last upgrade or round of OS patches that ended well did; undefined where Pulumi knows none. */
export const upgradedAt = (updates: readonly Update[]): string | undefined =>
  updates
    .filter(
      ({ kind, result, wanted, accepted, round }) =>
        kind === "update" && result === "succeeded" && (wanted !== accepted || round !== undefined),
    )
    .map(({ endedAt }) => endedAt)
    .sort()
    .at(-1);

/**
 * Why a plan may not be carried out yet; undefined where it may.
 * @param upgraded when what is accepted was there to be validated: {@link upgradedAt}
 */
export function missingSignOff(
  settings: Pick<Settings, "signOff" | "changeId">,
  plan: Pick<PlanRecord, "direction" | "accepts">,
  { now, upgraded }: { readonly now: Date; readonly upgraded: string | undefined },
): { readonly missing: string; readonly next: string } | undefined {
  const { signOff, changeId } = settings;
  if (!letsGo(plan) || !signOff.required) return undefined;
  const set = (key: string, value: string) =>
    `pulumi config set --path '${NAMESPACE}:signOff.${key}' ${value}`;
  if (signOffOf(settings)) {
    const fault = timeFault(signOff.at, now, upgraded);
    if (fault === undefined) return undefined;
    return {
      missing: `the sign-off of ${signOff.by} is none of what is to be accepted (procedure §2.3): ${fault}`,
      next: `have Operations sign off what stands there now, then: ${set("at", minute(now))}`,
    };
  }
  const found =
    signOff.changeId !== undefined && signOff.changeId !== changeId
      ? `signOff.changeId is ${signOff.changeId}, this change is ${changeId}`
      : `signOff.${signOff.changeId === undefined ? "changeId" : "by"} is not set`;
  return {
    missing: `Operations have not signed the validation off (procedure §2.3, signOff.required): ${found}`,
    next: `once they have: ${set("changeId", changeId)}; ${set("by", "NAME")}; ${set("at", minute(now))}`,
  };
}

/** What is wrong with a sign-off's time, which has whole minutes. */
function timeFault(at: string | undefined, now: Date, upgraded: string | undefined): string | undefined {
  const allowed = `from ${upgraded ? `the end of the upgrade, ${minute(new Date(upgraded))}` : "the end of the upgrade"}, to now, ${minute(now)}`;
  if (at === undefined) return `signOff.at is not set; allowed: ${allowed}`;
  const given = Date.parse(at);
  if (given > now.getTime()) return `signOff.at is ${at}, which is to come; allowed: ${allowed}`;
  if (upgraded !== undefined && given < Date.parse(minute(new Date(upgraded))))
    return `signOff.at is ${at}, before the upgrade had ended; allowed: ${allowed}`;
  return undefined;
}

/** As signOff.at is written. */
const minute = (moment: Date): string => `${moment.toISOString().slice(0, 16)}Z`;
