/** What is allowed but should be known before a change: told in preview, stops nothing. */
import { olderBenchmark } from "./benchmarks";
import { isChanging } from "./osPatch";
import type { ClusterNode, Settings } from "./settings";
import { judgeMove } from "./versionPolicy";
import { parseVersion } from "./versions";

export interface Warning {
  /** The key's path below the namespace. */
  readonly path: string;
  readonly text: string;
}

/** Every warning that follows from the config alone. */
export function settingsWarnings(settings: Settings): Warning[] {
  return [
    ...moveWarnings(settings),
    ...serverWarnings(settings.servers),
    ...sharedBy(settings.nodes, "hostKey", "pinning cannot tell them apart: were they cloned?"),
    ...installWarnings(settings),
    ...consentWarnings(settings),
    ...scanWarnings(settings),
    ...osPatchWarnings(settings),
  ];
}

function moveWarnings(settings: Settings): Warning[] {
  const [from, to] = [parseVersion(settings.acceptedVersion), parseVersion(settings.rke2Version)];
  const move = from && to && judgeMove(from, to);
  if (!move?.allowed) return [];
  const path = "rke2Version";
  const notes = move.notes.map(({ text, source }) => ({ path, text: `${text} (${source})` }));
  if (!move.backNeedsRestore) return notes;
  const etcd = { same: "", crossed: ", and etcd's minor changes", unknown: ", and etcd's may" }[move.etcd];
  const minor = move.kind === "minor" ? "the Kubernetes minor changes" : "the Kubernetes minor stays";
  return [...notes, { path, text: `${minor}${etcd}: going back takes the etcd snapshot` }];
}

function serverWarnings(servers: readonly ClusterNode[]): Warning[] {
  if (servers.length === 1) {
    return [
      { path: "nodes", text: "one server: the API is away while it restarts, and etcd has no second copy" },
    ];
  }
  return sharedBy(servers, "proxmoxNode", "that host takes the quorum with it");
}

function installWarnings({ install }: Settings): Warning[] {
  return (["scriptUrl", "artifactUrl"] as const)
    .filter((key) => install[key].startsWith("http:"))
    .map((key) => ({
      path: `install.${key}`,
      text: "plain http: whoever is on the way can hand out another RKE2, and its checksum with it",
    }));
}

function consentWarnings({ consents }: Settings): Warning[] {
  return (["emptyDir", "barePods", "longGrace"] as const)
    .filter((kind) => consents[kind].includes("*"))
    .map((kind) => ({ path: `consents.${kind}`, text: "every pod of the cluster is consented to" }));
}

/** What the scan may find without stopping, and why: it belongs into the change request. Also that it asks old questions. */
function scanWarnings({ scan, rke2Version }: Settings): Warning[] {
  if (!scan) return [];
  const old = olderBenchmark(scan.benchmark, rke2Version);
  return [
    ...(old ? [{ path: "scan.benchmark", text: old }] : []),
    ...scan.acknowledged.map(({ id, reason }, i) => ({
      path: `scan.acknowledged[${i}]`,
      text: `check ${id} may fail newly: ${reason}`,
    })),
  ];
}

function osPatchWarnings(settings: Settings): Warning[] {
  if (settings.osPatch.packages === "none" || isChanging(settings)) return [];
  return [
    {
      path: "osPatch",
      text: "no node is patched now: that is done in its turn, with a version bump or in a round of its own (osPatch.round)",
    },
  ];
}

/** One warning for each value that several nodes share. */
function sharedBy(
  nodes: readonly ClusterNode[],
  key: "hostKey" | "proxmoxNode",
  consequence: string,
): Warning[] {
  const values = [...new Set(nodes.map((node) => node[key]))];
  return values
    .map((value) => nodes.filter((node) => node[key] === value))
    .filter((group) => group.length > 1)
    .map((group) => ({
      path: "nodes",
      text: `${group.map((node) => node.name).join(", ")} share one ${key}: ${consequence}`,
    }));
}
