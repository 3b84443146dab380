/** RKE2 release names: `vX.Y.Z+rke2rN`, compared with the RKE2 revision, which semver would ignore. */

/** One RKE2 release, taken apart. All parts are non-negative integers. */
export interface Version {
  readonly major: number;
  readonly minor: number;
  readonly patch: number;
  /** RKE2's own revision of that Kubernetes version: the N of `+rke2rN`, from 1. */
  readonly revision: number;
}

// Digits are limited so that a snapshot's name, which holds a version, stays within Proxmox's 40 characters.
const number = "(0|[1-9]\\d{0,2})";
const pattern = new RegExp(`^v([1-9])\\.${number}\\.${number}\\+rke2r([1-9]\\d{0,2})$`);

/**
 * Reads an exact release name. Channels, ranges, release candidates and names without `+rke2rN` are no releases
 * here: channels have moved backwards and skipped minors (rancher/rke2#3755, #6657).
 * @returns the version, or undefined where the text is no exact release name.
 */
export function parseVersion(text: string): Version | undefined {
  const match = pattern.exec(text);
  if (!match) return undefined;
  const [major, minor, patch, revision] = match.slice(1).map(Number) as [number, number, number, number];
  return { major, minor, patch, revision };
}

/** The release's name as RKE2 writes it: `vX.Y.Z+rke2rN`. */
export function formatVersion(v: Version): string {
  return `v${v.major}.${v.minor}.${v.patch}+rke2r${v.revision}`;
}

/** The Kubernetes minor as people write it: `1.36`. */
export function kubernetesMinor(v: Version): string {
  return `${v.major}.${v.minor}`;
}

/** Total order over releases: negative where `a` is older, 0 where equal, positive where newer. */
export function compareVersions(a: Version, b: Version): number {
  return a.major - b.major || a.minor - b.minor || a.patch - b.patch || a.revision - b.revision;
}

/** True where `v` is of the given Kubernetes minor or of a later one. */
export function isAtLeastMinor(v: Version, major: number, minor: number): boolean {
  return v.major > major || (v.major === major && v.minor >= minor);
}
