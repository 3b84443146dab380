/** What the marks of OS patches on the nodes' own disks say against a move: no version tells. Pure. */

/** A node, and the IDs of the changes that its OS packages were patched under; undefined where it does not answer. */
export interface Marks {
  readonly name: string;
  readonly patchedUnder?: readonly string[];
}

/**
 * Why a change cannot begin under this ID; empty where it can. A node that bears the ID's mark would count as patched in
 * the new change before its turn. Acceptance takes the marks away; a node that was taken back to before it, or was
 * accepted before there was that, has them still. Who does not answer is the preflight's to refuse.
 */
export function usedUp(changeId: string, marks: readonly Marks[]): string {
  const names = marks.filter(({ patchedUnder }) => patchedUnder?.includes(changeId)).map(({ name }) => name);
  return names.length === 0
    ? ""
    : `${changeId} has patched ${names.join(", ")} already, and is not under way. Give this change a changeId of its own`;
}

/**
 * Why the acceptance of a round cannot be taken back; empty where it can. The marks go last, after the VM snapshots, so one
 * node without its mark says that the way back is let go.
 * @param marks of the nodes that were patched in it; those that answer have a say
 */
export function letGo(round: string, marks: readonly Marks[]): string {
  const answers = marks.filter(({ patchedUnder }) => patchedUnder !== undefined);
  if (answers.length === 0)
    return `nobody can say whether the way back of ${round} is still there: no node that it patched answers. Run it again once one does`;
  const without = answers.filter(({ patchedUnder }) => !patchedUnder?.includes(round));
  return without.length === 0
    ? ""
    : `the OS patches ${round} were accepted, and their way back is let go (no mark of them any more on ${without.map(({ name }) => name).join(", ")}). Set osPatch.acceptedRound to ${round} again; further patches are another change, with a changeId of its own`;
}
