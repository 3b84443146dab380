/** The cluster's own history: journals of the nodes and Proxmox VE's task list, not what the program says of itself. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { liveDirectory } from "../../rehearsal/machines/paths";
import { kubectl, ok, onNode } from "./operator";

/** A piece of time, milliseconds since the epoch. */
export interface Span {
  readonly node: string;
  readonly from: number;
  readonly to: number;
}

/** The rehearsal as its own `info` describes it. */
export async function info(): Promise<{
  nodes: { name: string; role: "server" | "agent"; vmId: number; ssh: { privateKeyFile: string } }[];
  proxmox: { endpoint: string; tokenId: string; tokenSecret: string; caFile: string };
}> {
  return JSON.parse(await readFile(join(liveDirectory, "info.json"), "utf8"));
}

/** When systemd began to stop or start RKE2 on a node and when it called it started, since a moment. */
export async function restarts(node: string, role: string, since: Date): Promise<Span[]> {
  const unit = `rke2-${role}.service`;
  const lines = await onNode(
    node,
    `sudo journalctl --no-pager -o json --since @${Math.floor(since.getTime() / 1000)} _PID=1 UNIT=${unit}`,
  );
  const spans: Span[] = [];
  let from: number | undefined;
  for (const line of lines.split("\n").filter(Boolean)) {
    const entry = JSON.parse(line) as { MESSAGE: string; __REALTIME_TIMESTAMP: string };
    const at = Number(entry.__REALTIME_TIMESTAMP) / 1000;
    if (/^(Stopping|Starting) /.test(entry.MESSAGE)) from ??= at;
    if (/^Started /.test(entry.MESSAGE) && from !== undefined) {
      spans.push({ node, from, to: at });
      from = undefined;
    }
  }
  return spans;
}

/** What a node is by its own word: unchanged means untouched. */
export interface Untouched {
  readonly bootId: string;
  readonly serviceStarted: string;
  readonly podUids: readonly string[];
}

/** Boot IDs, service start times and pod UIDs of all nodes. */
export async function identities(): Promise<Record<string, Untouched>> {
  const { nodes } = await info();
  const pods = await kubectl<{
    items: {
      metadata: { uid: string; namespace: string };
      spec: { nodeName?: string };
      status: { phase: string };
    }[];
  }>("get", "pods", "--all-namespaces");
  const entries = await Promise.all(
    nodes.map(async ({ name, role }) => {
      const said = await onNode(
        name,
        `cat /proc/sys/kernel/random/boot_id; systemctl show -P ActiveEnterTimestampMonotonic rke2-${role}`,
      );
      const [bootId = "", serviceStarted = ""] = said.trim().split("\n");
      const podUids = pods.items
        .filter((pod) => pod.spec.nodeName === name && pod.status.phase === "Running")
        .map((pod) => pod.metadata.uid)
        .sort();
      return [name, { bootId, serviceStarted, podUids }] as const;
    }),
  );
  return Object.fromEntries(entries);
}

/** Every node's kubelet version. */
export async function versions(): Promise<Record<string, string>> {
  const { items } = await kubectl<{
    items: { metadata: { name: string }; status: { nodeInfo: { kubeletVersion: string } } }[];
  }>("get", "nodes");
  return Object.fromEntries(items.map((node) => [node.metadata.name, node.status.nodeInfo.kubeletVersion]));
}

/** Asks Proxmox VE's API, as its own clients do; with `form` it posts, where no other method is named. */
export async function proxmox<T>(path: string, form?: string, method?: "DELETE"): Promise<T> {
  const { endpoint, tokenId, tokenSecret, caFile } = (await info()).proxmox;
  const said = await ok(
    "curl",
    "-sSf",
    "--cacert",
    caFile,
    "-H",
    `Authorization: PVEAPIToken=${tokenId}=${tokenSecret}`,
    ...(form ? ["--data", form] : []),
    ...(method ? ["--request", method] : []),
    `${endpoint}/api2/json${path}`,
  );
  return (JSON.parse(said) as { data: T }).data;
}

/** Names of all snapshots of all VMs, `vmId/name`. */
export async function snapshots(): Promise<string[]> {
  const vms = await proxmox<{ vmid: number; node: string }[]>("/cluster/resources?type=vm");
  const lists = await Promise.all(
    vms.map(async ({ vmid, node }) =>
      (await proxmox<{ name: string }[]>(`/nodes/${node}/qemu/${vmid}/snapshot`))
        .filter(({ name }) => name !== "current")
        .map(({ name }) => `${vmid}/${name}`),
    ),
  );
  return lists.flat().sort();
}

/** The VMs that were put back, in order. */
export async function rolledBack(): Promise<string[]> {
  const tasks = await proxmox<{ type: string; id: string; starttime?: number }[]>("/cluster/tasks");
  return tasks
    .filter(({ type }) => type === "qmrollback")
    .toSorted((a, b) => (a.starttime ?? 0) - (b.starttime ?? 0))
    .map(({ id }) => id);
}
