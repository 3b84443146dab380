/** The N-2 rule: how far a cluster may be behind the latest stable release (procedure §3.1). Pure. */
import { DateTime } from "luxon";
import type { Settings } from "./settings";
import { isAtLeastMinor, kubernetesMinor, parseVersion, type Version } from "./versions";

/** At most two minor versions behind the latest stable (procedure §3.1). */
export const MINORS_BEHIND = 2;

export interface StableJudgement {
  /** How many minors the target is behind; negative where it is ahead. */
  readonly behind: number;
  /** The oldest minor that the rule allows. */
  readonly oldest: string;
  /**
   * `allowed`; `stepping`: too old, but one minor nearer, since only one at a time is allowed; `tooOld`.
   */
  readonly verdict: "allowed" | "stepping" | "tooOld";
}

/** Judges a move by the latest stable release. A major of its own is not comparable: that counts as allowed. */
export function judgeStable(from: Version, to: Version, latest: Version): StableJudgement {
  const behind = to.major === latest.major ? latest.minor - to.minor : 0;
  const oldest = kubernetesMinor({ ...latest, minor: Math.max(0, latest.minor - MINORS_BEHIND) });
  if (behind <= MINORS_BEHIND) return { behind, oldest, verdict: "allowed" };
  const nearer = !isAtLeastMinor(from, to.major, to.minor);
  return { behind, oldest, verdict: nearer ? "stepping" : "tooOld" };
}

/** The latest stable release by the stack's config, and how many whole days ago somebody looked. */
export function latestStable(
  { latestStable: told }: Pick<Settings, "latestStable">,
  at: Date,
): { version: Version; name: string; ageDays: number } | undefined {
  const version = told && parseVersion(told.version);
  if (!told || !version) return undefined;
  const looked = DateTime.fromISO(told.checkedOn.slice(0, 10), { zone: "utc" });
  return {
    version,
    name: told.version,
    ageDays: Math.floor(DateTime.fromJSDate(at).diff(looked, "days").days),
  };
}
