import type { V1PersistentVolume } from "@kubernetes/client-node";
import type { ClusterNode } from "../config";
import { bareText, shellWord } from "../scripts";
import { askFirst } from "./firstServer";
import { LOOK_TIMEOUT_MS, withNode } from "./ssh";

/** What a node says of its readiness to go back. */
export interface NodeBack {
  /** Whether the accepted release's files lie there and are whole. */
  readonly artifactsWhole: boolean;
  readonly versionOnDisk: string;
  readonly versionRunning: string;
  readonly service: string;
  /** Whether its turn had begun: its config was kept then. */
  readonly configKept: boolean;
  readonly freeMiB: number;
  /** Where this program's own files lie, the placed etcd snapshot among them, and where etcd's data lies. */
  readonly room: { readonly state: Room; readonly etcd: Room };
  /** Mounts at or below etcd's own folder, which cannot be moved. */
  readonly etcdMounts: readonly string[];
  /** The change that holds this node: `UUID who since when`, or empty. */
  readonly owner: string;
  /** Attempts of this change in which its etcd was begun to be reset. */
  readonly resets: readonly string[];
}

/** A file system, by its device's number, and what is free on it. */
export interface Room {
  readonly device: string;
  readonly freeMiB: number;
}

/** Looks at one node over SSH: read-only, bounded. */
export async function lookBack(
  node: ClusterNode,
  privateKey: string,
  version: string,
  changeId: string,
): Promise<NodeBack> {
  const words = ["look-back", version, changeId, node.role].map(shellWord).join(" ");
  const { code, stdout, stderr } = await withNode(node, privateKey, (session) =>
    // Checking a release's sum reads some 100 MB.
    session.exec(`sudo -n bash -s -- ${words}`, { stdin: bareText("look-back"), timeoutMs: 30_000 }),
  );
  if (code !== 0) throw new Error(`${node.name}: ${stderr.trim() || `exit ${code}`}`);
  const said = new Map(
    stdout.split("\n").flatMap((line) => {
      const at = line.indexOf("=");
      return at > 0 ? [[line.slice(0, at), line.slice(at + 1)] as const] : [];
    }),
  );
  const text = (key: string) => said.get(key) ?? "";
  const room = (key: string): Room => {
    const [device = "", free] = text(key).split(" ");
    return { device, freeMiB: Number(free) };
  };
  return {
    artifactsWhole: text("artifacts") === "whole",
    versionOnDisk: text("versionOnDisk"),
    versionRunning: text("versionRunning"),
    service: text("service"),
    configKept: text("configKept") === "true",
    freeMiB: Number(text("freeMiB")),
    room: { state: room("stateRoom"), etcd: room("etcdRoom") },
    etcdMounts: text("etcdMounts").split(" ").filter(Boolean),
    owner: text("owner"),
    resets: text("resets").split(" ").filter(Boolean),
  };
}

/** Every volume of the cluster. @throws where no server can say */
export async function lookAtVolumes(
  servers: readonly ClusterNode[],
  privateKey: string,
): Promise<V1PersistentVolume[]> {
  return askFirst(servers, async (server) => {
    const { code, stdout, stderr } = await withNode(server, privateKey, (session) =>
      session.exec("sudo -n bash -s -- look-volumes", {
        stdin: bareText("look-volumes"),
        timeoutMs: LOOK_TIMEOUT_MS,
      }),
    );
    if (code !== 0) throw new Error(stderr.trim() || `${server.name}: exit ${code}`);
    return (JSON.parse(stdout) as { items?: V1PersistentVolume[] }).items ?? [];
  });
}
