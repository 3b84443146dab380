/** Names that the program gives to things outside itself. */

/** What every snapshot of ours starts with. Nothing else is ever deleted. */
export const SNAPSHOT_PREFIX = "rke2-";

/**
 * The name of a change's VM snapshots, and of its etcd snapshot: `rke2-v1-35-4-r1-CR-2025-068`. From the
 * **accepted** version, so that a second bump within a change replaces nothing. Always a valid Proxmox snapshot
 * name (2–40 letters, digits, - and _, a letter first) for validated arguments.
 */
export function snapshotName(acceptedVersion: string, changeId: string): string {
  const version = acceptedVersion.replace("+rke2r", "-r").replaceAll(".", "-");
  return `${SNAPSHOT_PREFIX}${version}-${changeId}`;
}
