/** Which moves from one release to another are allowed. Nothing in RKE2 enforces this; it is ours to enforce. */
import { type EtcdCrossing, etcdCrossing, skipsEtcdStop } from "./etcd";
import { type ReleaseNote, releaseNotes } from "./releaseNotes";
import { compareVersions, formatVersion, kubernetesMinor, type Version } from "./versions";

export interface AllowedMove {
  readonly allowed: true;
  /** What changes, the greatest part only. */
  readonly kind: "none" | "revision" | "patch" | "minor";
  readonly etcd: EtcdCrossing;
  /** Whether going back needs the etcd snapshot: where the Kubernetes or the etcd minor changes or may change. */
  readonly backNeedsRestore: boolean;
  readonly notes: readonly ReleaseNote[];
}

export interface RefusedMove {
  readonly allowed: false;
  readonly reason: string;
  /** What to do instead. */
  readonly instead: string;
}

/**
 * Judges a move of the whole cluster. Allowed are: staying, up within a minor, and up by one minor (procedure
 * §3.1; Kubernetes version skew policy). Refused are: down, by RKE2's revision included (an in-place downgrade of
 * the control plane is unsupported), another major, a skipped minor, and etcd 3.6 on too old a 3.5.
 */
export function judgeMove(from: Version, to: Version): AllowedMove | RefusedMove {
  const [was, wanted] = [formatVersion(from), formatVersion(to)];
  if (compareVersions(to, from) < 0) {
    return refuse(
      `${wanted} is older than ${was}, and RKE2 supports no downgrade in place`,
      `set rke2Version to ${was} or later; docs/goBack.md says how to go back. Where the nodes never ran ${was}, set acceptedVersion to what they run, too`,
    );
  }
  if (to.major !== from.major) {
    return refuse(`${wanted} is of another major than ${was}`, "no procedure is known for this: ask RKE2");
  }
  if (to.minor > from.minor + 1) {
    const next = kubernetesMinor({ ...from, minor: from.minor + 1 });
    return refuse(
      `from ${was} to ${wanted} skips Kubernetes ${next}, and one minor at a time is all that is supported`,
      `move to a release of ${next} first and accept it`,
    );
  }
  if (skipsEtcdStop(from, to)) {
    return refuse(
      `${wanted} brings etcd 3.6, which is safe only after etcd 3.5.26 (etcd.io/blog/2025/zombie_members_upgrade)`,
      "move to v1.33.10+rke2r1 first and accept it",
    );
  }
  const kind = kindOf(from, to);
  const etcd = etcdCrossing(from, to);
  const backNeedsRestore = kind === "minor" || etcd !== "same";
  return { allowed: true, kind, etcd, backNeedsRestore, notes: releaseNotes(from, to) };
}

function kindOf(from: Version, to: Version): AllowedMove["kind"] {
  if (to.minor !== from.minor) return "minor";
  if (to.patch !== from.patch) return "patch";
  return to.revision !== from.revision ? "revision" : "none";
}

function refuse(reason: string, instead: string): RefusedMove {
  return { allowed: false, reason, instead };
}
