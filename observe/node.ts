import type { ClusterNode, Measured } from "../config";
import { bareText, shellWord } from "../scripts";
import { type DeprecatedApi, parseDeprecatedApis } from "./deprecatedApis";
import { parseDurations } from "./durations";
import { type EtcdView, parseEtcdView } from "./etcdView";
import type { Look } from "./look";
import { withNode } from "./ssh";

/** Room in one of the folders that a change writes to. */
export interface DiskSpace {
  /** Where the file system is mounted. */
  readonly mount: string;
  readonly freeMiB: number;
  readonly inodesFree: number;
  /** 0 where the file system has no fixed number. */
  readonly inodes: number;
}

/** A certificate that RKE2 does not call OK. */
export interface DueCertificate {
  /** `file (subject)`. */
  readonly name: string;
  readonly expires: Date;
  /** RKE2's word: WARNING (within its 120 days), EXPIRED, NOT YET VALID. */
  readonly status: string;
}

/** etcd by a server's own member, and that member itself. */
export interface OwnEtcd extends EtcdView {
  readonly dbBytes: number;
  /** Undefined where its metrics do not answer. */
  readonly quotaBytes?: number;
  readonly isLearner: boolean;
}

/** What a server says of its own etcd member and of its load, over about a second. */
export interface ServerFacts {
  /** Share of the processors in use, 0–1; undefined where the kernel does not tell. */
  readonly cpuUsed?: number;
  /** Writes to etcd's log in that second; undefined where etcd does not tell. */
  readonly fsyncs?: number;
  /** Mean time of such a write, milliseconds; undefined where there was none. */
  readonly fsyncMs?: number;
  /** Undefined where it does not answer. */
  readonly etcd?: OwnEtcd;
  /** How long its API server took to say that it is ready, milliseconds, or why it did not. */
  readonly ready: Look<number>;
  /** SHA-256 of the cluster's CA in /etc/rancher/rke2/rke2.yaml, its PEM text; empty where it could not be read. */
  readonly kubeconfigCa: string;
}

/** How a run of the program left the node (scripts/lib-left.sh). */
export interface LeftFacts {
  /** When, RFC 3339, UTC; empty where no run has left it yet. */
  readonly at: string;
  readonly version: string;
  /** Files of RKE2's config that are otherwise now: `config.yaml 1f0c93aa`, the salted fingerprint's beginning, or `registries.yaml gone`. */
  readonly changes: readonly string[];
}

/** What a node says of itself. Texts are empty where nothing was found. */
export interface NodeFacts {
  readonly versionOnDisk: string;
  /** Of the running process, which can be older than the file. */
  readonly versionRunning: string;
  readonly binary: string;
  /** systemd's word for the service: active, activating, failed, inactive … */
  readonly service: string;
  readonly bootId: string;
  /** Hardware addresses of its network cards, lower case. */
  readonly cards: readonly string[];
  /** The change that holds this node: `UUID who since when`, or empty. */
  readonly owner: string;
  readonly rancherManaged: boolean;
  /** Keys of RKE2's config that make it a cluster which no step here knows (lib-layout.sh). */
  readonly unknownLayout: readonly string[];
  /** Mounts at or below etcd's own folder, which a way back could not move (lib-layout.sh). */
  readonly etcdMounts: readonly string[];
  /** As its config has them, comma-separated; empty where it says nothing. */
  readonly ingressController: string;
  readonly disks: readonly DiskSpace[];
  readonly memoryMiB: number;
  readonly memoryFreeMiB: number;
  /** How many certificates RKE2 lists; 0 where it does not list any. */
  readonly certificates: number;
  readonly dueCertificates: readonly DueCertificate[];
  /** containerd templates that do not build on RKE2's own. */
  readonly containerdTemplates: readonly string[];
  /** File system type of /sys/fs/cgroup: cgroup2fs is version 2. */
  readonly cgroup: string;
  /** The node's clock minus ours, milliseconds. */
  readonly clockSkewMs: number;
  /** How far {@link clockSkewMs} can be off: half of the time on the way. */
  readonly clockErrorMs: number;
  readonly left: LeftFacts;
  /** The changes, by their IDs, that began to upgrade its OS packages. */
  readonly patchedUnder: readonly string[];
  /** Of servers alone. */
  readonly server?: ServerFacts;
  /** Deprecated APIs asked of this server's API server since it started; undefined on agents or where it is down. */
  readonly deprecatedApis?: readonly DeprecatedApi[];
  /** What steps took that ended well when they were run here, about this node or another. */
  readonly durations: readonly Measured[];
}

/** Looks at one node over SSH: read-only, bounded, host key pinned. */
export async function lookAtNode(node: ClusterNode, privateKey: string): Promise<NodeFacts> {
  const { stdout, started, ended } = await withNode(node, privateKey, async (session) => {
    const started = Date.now();
    const result = await session.exec(`sudo -n bash -s -- look-node ${shellWord(node.role)}`, {
      stdin: bareText("look-node"),
    });
    if (result.code !== 0) throw new Error(`${node.name}: ${result.stderr.trim() || `exit ${result.code}`}`);
    return { stdout: result.stdout, started, ended: Date.now() };
  });
  return parseNode(stdout, started, ended);
}

/**
 * Reads what look-node.sh printed. Pure.
 * @param started our clock when it was asked, milliseconds
 * @param ended our clock when it had answered
 */
export function parseNode(stdout: string, started: number, ended: number): NodeFacts {
  const said = new Map<string, string[]>();
  for (const line of stdout.split("\n").filter((line) => line.includes("="))) {
    const key = line.slice(0, line.indexOf("="));
    said.set(key, [...(said.get(key) ?? []), line.slice(key.length + 1)]);
  }
  const list = (key: string) => said.get(key) ?? [];
  const text = (key: string) => list(key)[0] ?? "";
  const number = (key: string) => Number(text(key));
  // As NTP does it: what the node itself took for its answers is no time on the way.
  const onTheWay = ended - started - (number("clockEndMs") - number("clockMs"));
  return {
    versionOnDisk: text("versionOnDisk"),
    versionRunning: text("versionRunning"),
    binary: text("binary"),
    service: text("service"),
    bootId: text("bootId"),
    cards: list("card"),
    owner: text("owner"),
    rancherManaged: text("rancherManaged") === "true",
    unknownLayout: list("unknownLayout"),
    etcdMounts: list("etcdMount"),
    ingressController: text("ingressController"),
    disks: list("disk").map((line) => {
      const [mount = "", ...figures] = line.split(" ");
      const [freeMiB = 0, inodesFree = 0, inodes = 0] = figures.map(Number);
      return { mount, freeMiB, inodesFree, inodes };
    }),
    memoryMiB: number("memoryMiB"),
    memoryFreeMiB: number("memoryFreeMiB"),
    certificates: number("certificates"),
    dueCertificates: list("certificateDue").map((line) => {
      const [name = "", expires = "", status = ""] = line.split("|");
      return { name, expires: new Date(expires), status: status.trim() };
    }),
    containerdTemplates: list("containerdTemplate"),
    cgroup: text("cgroup"),
    clockSkewMs: Math.round((number("clockMs") + number("clockEndMs") - started - ended) / 2),
    clockErrorMs: Math.ceil(Math.max(0, onTheWay) / 2),
    deprecatedApis: said.has("apiMetrics") ? parseDeprecatedApis(list("deprecatedApi")) : undefined,
    left: { at: text("leftAt"), version: text("leftVersion"), changes: list("leftChange") },
    patchedUnder: list("patchedUnder"),
    durations: parseDurations(list("duration")),
    server: said.has("etcdStatus") ? parseServer(text) : undefined,
  };
}

/** @param said `200 0.013 ok`: HTTP status, seconds, what was said */
function parseReady(said: string): Look<number> {
  const [status = "", seconds = "", ...words] = said.trim().split(" ");
  return status === "200"
    ? { value: Math.round(Number(seconds) * 1000) }
    : { missing: `HTTP ${status || "000"}: ${words.join(" ") || "no answer in 5 s"}` };
}

function parseServer(text: (key: string) => string): ServerFacts {
  const grown = (key: string) => {
    const [first, last] = [text(`first${key}`), text(`last${key}`)];
    return first && last ? Number(last) - Number(first) : undefined;
  };
  const [cpuUs, us, fsyncs, fsyncSeconds] = ["CpuUs", "AtUs", "Fsyncs", "FsyncSeconds"].map(grown);
  const status = JSON.parse(text("etcdStatus") || "{}");
  const view = parseEtcdView(text);
  return {
    cpuUsed: cpuUs !== undefined && us ? cpuUs / us / Number(text("processors")) : undefined,
    fsyncs,
    fsyncMs: fsyncs && fsyncSeconds !== undefined ? (fsyncSeconds / fsyncs) * 1000 : undefined,
    etcd: view && {
      ...view,
      dbBytes: Number(status.dbSize ?? 0),
      quotaBytes: Number(text("etcdQuotaBytes")) || undefined,
      isLearner: status.isLearner === true,
    },
    ready: parseReady(text("ready")),
    kubeconfigCa: text("kubeconfigCa"),
  };
}
