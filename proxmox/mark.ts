/** The last line of our snapshots' descriptions: who made it, and on which version the guest was. */
export const ownMark = (acceptedVersion: string): string => `rke2-upgrade: taken on ${acceptedVersion}`;
