/** What is known about releases and must be read before moving to them: data, each with its source. */
import { compareVersions, isAtLeastMinor, parseVersion, type Version } from "./versions";

/** Something to know about a move. It stops nothing. */
export interface ReleaseNote {
  readonly text: string;
  /** Where it is written. */
  readonly source: string;
}

interface Entry extends ReleaseNote {
  applies(from: Version, to: Version): boolean;
}

/** The first fixed release of each line for rancher/rke2#10613. Lines that are not named are not fixed. */
const dataDirFixes = ["v1.33.13+rke2r2", "v1.34.10+rke2r1", "v1.35.7+rke2r1", "v1.36.3+rke2r1"];

const crosses = (minor: number) => (from: Version, to: Version) =>
  !isAtLeastMinor(from, 1, minor) && isAtLeastMinor(to, 1, minor);

const entries: readonly Entry[] = [
  {
    applies: (_, to) => to.minor <= 36 && !hasDataDirFix(to),
    text: "a data-dir of one's own is broken in this release: move to a later one if the nodes' config sets data-dir",
    source: "rancher/rke2#10613",
  },
  {
    applies: crosses(33),
    text: "containerd becomes 2.x: a config.toml.tmpl of one's own must be in its new form",
    source: "docs.rke2.io/release-notes/v1.33.X",
  },
  {
    applies: crosses(35),
    text: "the kubelet refuses cgroup v1: every node must run cgroup v2",
    source: "Kubernetes 1.35, urgent upgrade notes",
  },
  {
    applies: crosses(36),
    text: "Traefik becomes the default ingress controller: ingress-controller must be set in every node's RKE2 config",
    source: "docs.rke2.io/release-notes/v1.36.X",
  },
  {
    applies: crosses(37),
    text: "the Rancher chart of August 2026 refuses Kubernetes 1.37: upgrade Rancher first",
    source: "kubeVersion in the Rancher chart",
  },
];

/** Everything known about a move, in the order of the table. Empty where nothing moves. */
export function releaseNotes(from: Version, to: Version): ReleaseNote[] {
  if (compareVersions(from, to) === 0) return [];
  return entries.filter((entry) => entry.applies(from, to)).map(({ text, source }) => ({ text, source }));
}

function hasDataDirFix(v: Version): boolean {
  return dataDirFixes.some((text) => {
    const fixed = parseVersion(text) as Version;
    return fixed.minor === v.minor && compareVersions(v, fixed) >= 0;
  });
}
