import type { GoBack } from "../config";

/** What the stack asks for. */
export interface ChangeInputs {
  /** `rke2Version`: the version that is wanted. */
  readonly wanted: string;
  /** `acceptedVersion`: the version the operator has accepted. */
  readonly accepted: string;
  /** The change request's ID. */
  readonly changeId: string;
  /** The way back that is asked for, as {@link asText} writes it; empty while the change goes forward. */
  readonly goBack: string;
  /** `osPatch.round`: the change whose OS patches are wanted without a version bump; empty where none is. */
  readonly round: string;
  /** `osPatch.acceptedRound`: the one whose patches the operator has accepted. */
  readonly acceptedRound: string;
  /** Its nodes, as frozenNodes.ts writes them; a state from before they were frozen has none. */
  readonly nodes?: string;
}

/**
 * The way back as one line, so that two can be compared: `restore`, `rollback:proj-k8sm02`. Agents that are left out are no
 * part of it: leaving one out half-way goes on with the same way back, and naming it again restores nothing twice.
 */
export const asText = (goBack: GoBack | undefined): string =>
  goBack ? [goBack.strategy, ...(goBack.nodes ? [goBack.nodes.join(",")] : [])].join(":") : "";

/** What a change is: the stack's wishes and what is frozen at its start. */
export interface ChangeState extends ChangeInputs {
  /** Raised at each change of direction and an argument of every step, so that no stored input equals a new one by accident. */
  readonly attempt: number;
  /** The version the change started from. */
  readonly from: string;
  /**
   * `adopt`: nothing was ever changed; `forward`: an upgrade, also after its acceptance and while single nodes are
   * mended; `back`: the whole cluster goes back, also once it is back and while single nodes are mended after.
   */
  readonly mode: "adopt" | "forward" | "back";
  /** The change ID under which the version last moved: the snapshots bear it until they are let go. */
  readonly movedUnder: string;
  /** UUID of this state: who holds the locks. */
  readonly owner: string;
}

/** What a state from before there was a way back, or a round of OS patches, does not have. */
export const UNSET = { goBack: "", round: "", acceptedRound: "" } as const;

/** Whether a change is only taken back to where it began: fine as long as no node was touched (a mistyped version). */
export const isWithdrawal = (before: ChangeState, now: ChangeInputs): boolean =>
  isUnderWay(before) &&
  !before.goBack &&
  !now.goBack &&
  !isUnderWay(now) &&
  now.wanted === before.accepted &&
  now.accepted === before.accepted &&
  now.acceptedRound === before.acceptedRound &&
  now.changeId === before.changeId;

/** The change withdrawn, for one that touched no node yet: what settling then lets go is still its own. */
export const withdrawn = (before: ChangeState): ChangeState => ({
  ...before,
  wanted: before.accepted,
  round: before.acceptedRound,
  attempt: before.attempt + 1,
});

/** Whether no change was ever accepted here or gone back from: what the stack says of its versions may be mistaken still. */
const isFirst = ({ mode, attempt }: ChangeState): boolean => mode === "adopt" || attempt === 1;

/** Whether another version is to be adopted, since the first is not what the nodes run: fine where all of them run this one. */
export const adoptsAnother = (before: ChangeState, now: ChangeInputs): boolean =>
  isFirst(before) &&
  !before.goBack &&
  !now.goBack &&
  !isUnderWay(now) &&
  now.accepted !== before.accepted &&
  now.round === before.round &&
  now.acceptedRound === before.acceptedRound &&
  (now.changeId === before.changeId || !isUnderWay(before));

/** The other version adopted, where every node runs it. Where a change had begun, settling lets its locks go. */
export const adopting = (before: ChangeState, now: ChangeInputs): ChangeState => ({
  ...before,
  ...now,
  attempt: before.attempt + 1,
  from: before.mode === "adopt" ? now.accepted : before.from,
});

/** A refused move: the config key to change, and the reason with the next move. */
export interface Refusal {
  readonly property: keyof ChangeInputs;
  readonly reason: string;
}

/** Whether OS patches alone are under way. */
const isRoundUnderWay = ({ round, acceptedRound }: Pick<ChangeInputs, "round" | "acceptedRound">): boolean =>
  round !== "" && round !== acceptedRound;

/** Whether the change is under way: a version bumped, or a round of OS patches begun, and not yet accepted. */
export const isUnderWay = (
  c: Pick<ChangeInputs, "wanted" | "accepted" | "round" | "acceptedRound">,
): boolean => c.wanted !== c.accepted || isRoundUnderWay(c);

/** Whether the move accepts a round of OS patches: that takes every patched node's own word (changeProvider.ts). */
export const acceptsRound = (before: ChangeState, now: ChangeInputs): boolean =>
  isRoundUnderWay(before) && now.round === before.round && !isRoundUnderWay(now);

/** Whether the move takes back the acceptance of a round of OS patches, say since it failed. */
export const takesBackRound = (before: ChangeState, now: ChangeInputs): boolean =>
  !isUnderWay(before) && isRoundUnderWay(now) && now.round === before.round && now.wanted === before.wanted;

/** Whether the move begins a change: none that takes an acceptance back, or a way back up again. */
export const begins = (before: ChangeState, now: ChangeInputs): boolean =>
  !isUnderWay(before) &&
  isUnderWay(now) &&
  !now.goBack &&
  (now.wanted !== before.wanted || now.round !== before.round);

/**
 * Judges the move from what was asked before to what is asked now.
 * @param before the stored state; undefined the first time
 * @param newOwner makes the owner's UUID, used the first time only
 */
export function judgeChange(
  before: ChangeState | undefined,
  now: ChangeInputs,
  newOwner: () => string,
): ChangeState | Refusal {
  if (!before) {
    if (now.goBack) return nothingUnderWay();
    const mode = isUnderWay(now) ? "forward" : "adopt";
    return { ...now, attempt: 1, from: now.accepted, mode, movedUnder: now.changeId, owner: newOwner() };
  }
  const { attempt, from, mode, movedUnder, owner } = before;
  const frozen = { attempt, from, mode, movedUnder, owner };

  if (before.goBack !== now.goBack) return judgeTurn(before, now);
  if (isRoundUnderWay(before) || isRoundUnderWay(now)) return judgeRound(before, now);

  if (before.wanted !== now.wanted) {
    if (before.accepted !== now.accepted) {
      return {
        property: "accepted",
        reason: `rke2Version and acceptedVersion were changed together: that would upgrade without a way back. Set acceptedVersion to ${before.accepted} again${adoptFirst(before)}`,
      };
    }
    if (!isUnderWay(before)) {
      return {
        ...now,
        ...frozen,
        attempt: attempt + 1,
        from: now.accepted,
        mode: "forward",
        movedUnder: now.changeId,
      };
    }
    return {
      property: "wanted",
      reason:
        now.wanted === before.accepted
          ? `setting rke2Version back does not bring ${before.wanted} back to ${before.accepted}: nodes would be downgraded in place, which breaks etcd. Set rke2Version to ${before.wanted} again and go on, or set goBack beside it (docs/goBack.md)`
          : `the change from ${before.accepted} to ${before.wanted} is under way. Set rke2Version to ${before.wanted} again, finish and accept it, then ask for ${now.wanted}`,
    };
  }

  if (before.accepted !== now.accepted) {
    const accepts = now.accepted === now.wanted && !now.goBack;
    const takesBack = !isUnderWay(before) && before.mode === "forward" && now.accepted === before.from;
    // A change of direction: its gates are asked anew, and so is whether the way back is still there.
    if (takesBack) return { ...now, ...frozen, attempt: attempt + 1 };
    if (!accepts) {
      return {
        property: "accepted",
        reason: `acceptedVersion may only become rke2Version (${now.wanted}), once that is done and looked at. Set it to ${before.accepted} again${adoptFirst(before)}`,
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

/** The way out of a version that was mistyped from the beginning. */
const adoptFirst = (before: ChangeState): string =>
  isFirst(before)
    ? `; where the nodes never ran ${before.accepted}, set rke2Version and acceptedVersion both to what every node runs, all of them up and answering: that is adopted`
    : "";

/** A round of OS patches: it begins, goes on and is accepted, and no version moves meanwhile. */
function judgeRound(before: ChangeState, now: ChangeInputs): ChangeState | Refusal {
  const { attempt, from, mode, movedUnder, owner } = before;
  const refuse = (reason: string): Refusal => ({ property: "round", reason });
  if (before.wanted !== now.wanted || before.accepted !== now.accepted) {
    const round = isRoundUnderWay(before) ? before.round : now.round;
    return refuse(
      `RKE2's version and the OS patches ${round} were changed together: one change has one way back. Set rke2Version to ${before.wanted} and acceptedVersion to ${before.accepted} again`,
    );
  }
  if (!isRoundUnderWay(before)) {
    if (isUnderWay(before)) return refuse(`the change to ${before.wanted} is under way: it patches anyway`);
    if (takesBackRound(before, now)) {
      // As with a version. Whether its way back is still there, the nodes say (changeProvider.ts) and the preflight.
      if (mode === "forward" && movedUnder === now.round && now.changeId === now.round)
        return { ...now, attempt: attempt + 1, from, mode, movedUnder, owner };
      return refuse(
        `the OS patches ${now.round} were accepted, and are not the last change of this cluster. Set osPatch.acceptedRound to ${now.round} again; further patches are another change, with a changeId of its own`,
      );
    }
    return {
      ...now,
      attempt: attempt + 1,
      from: now.accepted,
      mode: "forward",
      movedUnder: now.changeId,
      owner,
    };
  }
  if (before.changeId !== now.changeId) {
    return {
      property: "changeId",
      reason: `the change ${before.changeId} is under way and its snapshots bear its name. Set changeId to ${before.changeId} again until it is accepted`,
    };
  }
  const goesOn = now.round === before.round && now.acceptedRound === before.acceptedRound;
  if (goesOn || acceptsRound(before, now)) return { ...now, attempt, from, mode, movedUnder, owner };
  return refuse(
    `the OS patches ${before.round} are under way, and packages do not go back by asking for none. Set osPatch.round to ${before.round} and osPatch.acceptedRound to ${before.acceptedRound || "nothing"} again and go on; a package that is not to come is held on its node, a node that is sick goes back by its VM (docs/goBack.md)`,
  );
}

const nothingUnderWay = (): Refusal => ({
  property: "goBack",
  reason:
    "goBack is set, but nothing is under way in this stack's state: there is nothing to go back from. Run pulumi config rm 'rke2-upgrade:goBack'",
});

/**
 * The way back was set, unset or altered: a change of direction. Versions stay meanwhile, but for the one move that
 * ends a way back: goBack unset and rke2Version set to the accepted version, for settling to prove.
 */
function judgeTurn(before: ChangeState, now: ChangeInputs): ChangeState | Refusal {
  const { attempt, from, movedUnder, owner } = before;
  const frozen = { attempt: attempt + 1, from, movedUnder, owner };
  if (before.accepted !== now.accepted) {
    return {
      property: "accepted",
      reason: `goBack and acceptedVersion were changed together. Set acceptedVersion to ${before.accepted} again; a version is accepted after the change has gone forward to its end`,
    };
  }
  if (before.changeId !== now.changeId) {
    return {
      property: "changeId",
      reason: `the change ${before.changeId} is under way and its snapshots bear its name. Set changeId to ${before.changeId} again until it is settled`,
    };
  }
  // A round of OS patches that went back as a whole is given up, as a version is.
  const gaveUp =
    before.mode === "back" && isRoundUnderWay(before) && !now.goBack && now.round === before.acceptedRound;
  const whole = now.goBack !== "" && !now.goBack.includes(":");
  // It was given up too early: its way back is taken up again.
  const resumesRound =
    before.mode === "back" &&
    !isUnderWay(before) &&
    whole &&
    isRoundUnderWay(now) &&
    now.round === now.changeId &&
    now.round === before.movedUnder;
  if (
    (before.round !== now.round && !gaveUp && !resumesRound) ||
    before.acceptedRound !== now.acceptedRound
  ) {
    return {
      property: "round",
      reason: `goBack and osPatch.round were changed together. Set osPatch.round to ${before.round || "nothing"} and osPatch.acceptedRound to ${before.acceptedRound || "nothing"} again`,
    };
  }
  // A node that is mended after the whole cluster went back, as one that was left out, does not turn that forward.
  const mode = whole || (before.mode === "back" && now.goBack !== "") ? "back" : "forward";
  if ((gaveUp || resumesRound) && before.wanted === now.wanted) return { ...now, ...frozen, mode: "back" };
  if (before.wanted === now.wanted) {
    return isUnderWay(before) ? { ...now, ...frozen, mode } : nothingUnderWay();
  }
  // Back: what was wanted is given up. Whether the nodes are back, settling asks them, before it lets anything go.
  const settles = before.mode === "back" && !now.goBack && now.wanted === before.accepted;
  // Settling said that they are not: the way back is taken up again.
  const resumes = before.mode === "back" && !isUnderWay(before) && mode === "back";
  if (settles || resumes) return { ...now, ...frozen, mode: "back" };
  return {
    property: "goBack",
    reason: before.goBack
      ? `goBack (${before.goBack}) was unset and rke2Version set to ${now.wanted} at once, which ends a way back of the whole cluster alone, and only at ${before.accepted}. Set rke2Version to ${before.wanted} again and run pulumi up`
      : `goBack and rke2Version were changed together: nodes are on their way to ${before.wanted}, which is what to go back from. Set rke2Version to ${before.wanted} again`,
  };
}
