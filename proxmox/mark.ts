/** The last line of our snapshots' descriptions: who made it, and on which version the guest was. */
export const ownMark = (acceptedVersion: string): string => `rke2-upgrade: taken on ${acceptedVersion}`;

/** Whether a snapshot is the one of this name or a renewal of it (`name-2` …). CR-12's are not CR-1's. */
export const isOfChange = (found: string, name: string): boolean =>
  found === name || (found.startsWith(`${name}-`) && /^\d+$/.test(found.slice(name.length + 1)));

/** Whether a snapshot is this change's: of its name, or a renewal, and marked as ours, taken on that version. */
export const isOwn = (
  { name: found, description }: { readonly name: string; readonly description: string },
  name: string,
  acceptedVersion: string,
): boolean => isOfChange(found, name) && description.includes(ownMark(acceptedVersion));

/** A server's snapshot is taken while RKE2 is held there, so that the machine that is put back does not start it. */
export const AT_REST = "comes up with RKE2 at rest";

/** What a snapshot's description says first, for people. */
export const snapshotDescription = (
  { name, role }: { name: string; role: string },
  changeId: string,
): string => `${name} before ${changeId}${role === "server" ? `; ${AT_REST}` : ""}`;
