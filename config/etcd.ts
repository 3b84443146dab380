/**
 * Which etcd a release runs. Going back across an etcd minor needs a datastore snapshot, and RKE2 has crossed one
 * within a Kubernetes patch, so the Kubernetes minor alone does not tell.
 */
import { compareVersions, parseVersion, type Version } from "./versions";

/** The etcd of all releases from `since` up to the next line of the table. */
interface EtcdLine {
  readonly since: string;
  readonly etcd: string;
}

/**
 * RKE2's release notes, column Etcd (docs.rke2.io/release-notes, v1.33.X to v1.37.X, as of September 2026); the
 * 1.33 line went to 3.6 with v1.33.11 (its branch: rancher/rke2#10790). Only the minor of the entries is used, save
 * for 3.5, where the patch decides whether 3.6 may follow.
 */
const table: readonly EtcdLine[] = [
  { since: "v1.33.0+rke2r1", etcd: "3.5.21" },
  { since: "v1.33.7+rke2r1", etcd: "3.5.25" },
  { since: "v1.33.7+rke2r3", etcd: "3.5.26" },
  { since: "v1.33.11+rke2r1", etcd: "3.6" },
  { since: "v1.34.0+rke2r1", etcd: "3.6" },
  { since: "v1.35.0+rke2r1", etcd: "3.6" },
  { since: "v1.36.0+rke2r1", etcd: "3.6" },
  { since: "v1.37.0+rke2r1", etcd: "3.7" },
];

/** The newest Kubernetes minor that the table knows. What comes after it is unknown, not the same. */
const lastKnownMinor = 37;

/** The first release of 3.5 from which 3.6 may be reached (etcd.io/blog/2025/zombie_members_upgrade). */
const LAST_STOP_BEFORE_36 = "3.5.26";

/** The etcd version of a release as far as it is known: `3.6`, or with its patch where that matters. */
export function etcdOf(v: Version): string | undefined {
  if (v.major !== 1 || v.minor > lastKnownMinor) return undefined;
  return table.findLast(({ since }) => compareVersions(parseVersion(since) as Version, v) <= 0)?.etcd;
}

/** How two releases' etcd minors compare. `unknown` must be treated like `crossed`. */
export type EtcdCrossing = "same" | "crossed" | "unknown";

/** Whether going from one release to another changes the etcd minor. */
export function etcdCrossing(from: Version, to: Version): EtcdCrossing {
  if (compareVersions(from, to) === 0) return "same";
  const [a, b] = [etcdOf(from), etcdOf(to)];
  if (a === undefined || b === undefined) return "unknown";
  return minorOf(a) === minorOf(b) ? "same" : "crossed";
}

/** True where etcd 3.6 is to follow a 3.5 that is too old for it: members can come back from the dead. */
export function skipsEtcdStop(from: Version, to: Version): boolean {
  const [a, b] = [etcdOf(from), etcdOf(to)];
  if (a === undefined || b === undefined || minorOf(a) !== "3.5" || minorOf(b) === "3.5") return false;
  return Number(a.split(".")[2]) < Number(LAST_STOP_BEFORE_36.split(".")[2]);
}

function minorOf(etcd: string): string {
  return etcd.split(".").slice(0, 2).join(".");
}
