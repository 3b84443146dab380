/** What is known about releases and must be read before moving to them: data, each with its source. */
import { compareVersions, isAtLeastMinor, type Version } from "./versions";

/** Something to know about a move. It stops nothing. */
export interface ReleaseNote {
  readonly text: string;
  /** Where it is written. */
  readonly source: string;
}

interface Entry extends ReleaseNote {
  applies(from: Version, to: Version): boolean;
}

const crosses = (minor: number) => (from: Version, to: Version) =>
  !isAtLeastMinor(from, 1, minor) && isAtLeastMinor(to, 1, minor);

const entries: readonly Entry[] = [
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
