import type { ClusterNode, Measured } from "../config";
import { bareText, shellWord } from "../scripts";
import { type DeprecatedApi, parseDeprecatedApis } from "./deprecatedApis";
import { parseDurations } from "./durations";
import { withNode } from "./ssh";

/** What a node says of itself. Texts are empty where nothing was found. */
export interface NodeFacts {
  readonly hostname: string;
  readonly versionOnDisk: string;
  /** Of the running process, which can be older than the file. */
  readonly versionRunning: string;
  readonly binary: string;
  /** systemd's word for the service: active, activating, failed, inactive … */
  readonly service: string;
  readonly serviceSince: string;
  readonly bootId: string;
  /** The change that holds this node: `UUID who since when`, or empty. */
  readonly owner: string;
  /** The step still at work here, or empty. */
  readonly step: string;
  readonly rancherManaged: boolean;
  readonly ingressController: string;
  readonly freeMiB: number;
  /** File system type of /sys/fs/cgroup: cgroup2fs is version 2. */
  readonly cgroup: string;
  /** The node's clock minus ours, milliseconds; half the look's own time is its error. */
  readonly clockSkewMs: number;
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
  const said = new Map(
    stdout
      .split("\n")
      .filter((line) => line.includes("="))
      .map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)] as const),
  );
  const text = (key: string) => said.get(key) ?? "";
  return {
    hostname: text("hostname"),
    versionOnDisk: text("versionOnDisk"),
    versionRunning: text("versionRunning"),
    binary: text("binary"),
    service: text("service"),
    serviceSince: text("serviceSince"),
    bootId: text("bootId"),
    owner: text("owner"),
    step: text("step"),
    rancherManaged: text("rancherManaged") === "true",
    ingressController: text("ingressController"),
    freeMiB: Number(text("freeMiB")),
    cgroup: text("cgroup"),
    clockSkewMs: Math.round(Number(text("clockMs")) - (started + ended) / 2),
    deprecatedApis: said.has("deprecatedApis")
      ? parseDeprecatedApis(text("deprecatedApis").split("\t"))
      : undefined,
    durations: parseDurations(text("durations").split("\t")),
  };
}
