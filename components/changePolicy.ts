/** What the stack asks for. */
export interface ChangeInputs {
  /** `rke2Version`: the version that is wanted. */
  readonly wanted: string;
  /** `acceptedVersion`: the version the operator has accepted. */
  readonly accepted: string;
  /** The change request's ID. */
  readonly changeId: string;
}

/** What a change is: the stack's wishes and what is frozen at its start. */
export interface ChangeState extends ChangeInputs {
  /** Raised at each change of direction and an argument of every step, so that no stored input equals a new one by accident. */
  readonly attempt: number;
  /** The version the change started from. */
  readonly from: string;
  /** `adopt`: nothing was ever changed; `forward`: an upgrade, also after its acceptance. */
  readonly mode: "adopt" | "forward";
  /** UUID of this state: who holds the locks. */
  readonly owner: string;
}

/** A refused move: the config key to change, and the reason with the next move. */
export interface Refusal {
  readonly property: keyof ChangeInputs;
  readonly reason: string;
}

/** Whether the change is under way: bumped and not yet accepted. */
export const isUnderWay = (c: Pick<ChangeInputs, "wanted" | "accepted">): boolean => c.wanted !== c.accepted;

/**
 * Judges the move from what was asked before to what is asked now (design: Direction).
 * @param before the stored state; undefined the first time
 * @param newOwner makes the owner's UUID, used the first time only
 */
export function judgeChange(
  before: ChangeState | undefined,
  now: ChangeInputs,
  newOwner: () => string,
): ChangeState | Refusal {
  if (!before) {
    const mode = isUnderWay(now) ? "forward" : "adopt";
    return { ...now, attempt: 1, from: now.accepted, mode, owner: newOwner() };
  }
  const frozen = { attempt: before.attempt, from: before.from, mode: before.mode, owner: before.owner };

  if (before.wanted !== now.wanted) {
    if (before.accepted !== now.accepted) {
      return {
        property: "accepted",
        reason: `rke2Version and acceptedVersion were changed together: that would upgrade without a way back. Set acceptedVersion to ${before.accepted} again`,
      };
    }
    if (!isUnderWay(before)) {
      return { ...now, ...frozen, attempt: before.attempt + 1, from: now.accepted, mode: "forward" };
    }
    return {
      property: "wanted",
      reason:
        now.wanted === before.accepted
          ? `setting rke2Version back does not bring ${before.wanted} back to ${before.accepted}: nodes would be downgraded in place, which breaks etcd. Set rke2Version to ${before.wanted} again and go on, or go back by hand from the snapshots`
          : `the change from ${before.accepted} to ${before.wanted} is under way. Set rke2Version to ${before.wanted} again, finish and accept it, then ask for ${now.wanted}`,
    };
  }

  if (before.accepted !== now.accepted) {
    const accepts = now.accepted === now.wanted;
    const takesBack = !isUnderWay(before) && before.mode === "forward" && now.accepted === before.from;
    if (!accepts && !takesBack) {
      return {
        property: "accepted",
        reason: `acceptedVersion may only become rke2Version (${now.wanted}), once that is done and looked at. Set it to ${before.accepted} again`,
      };
    }
  }
  if (before.changeId !== now.changeId && isUnderWay(before)) {
    return {
      property: "changeId",
      reason: `the change ${before.changeId} is under way and its snapshots bear its name. Set changeId to ${before.changeId} again until it is accepted`,
    };
  }
  return { ...now, ...frozen };
}
