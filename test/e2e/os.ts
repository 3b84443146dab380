/** What a node's own OS, and its kubelet, say of its patches and reboots: not what the program says of them. */
import { setFault } from "../../rehearsal/lab/faults";
import { identities } from "./history";
import { kubectl, onNode } from "./operator";

/** What became of the packages that `os-outdated` brings, `name=version`. */
export const packages = async (node: string): Promise<string[]> =>
  (await onNode(node, "dpkg-query -W '*rehearsal*'")).trim().replaceAll("\t", "=").split("\n");

/** When a node's own package manager upgraded a package, milliseconds since the epoch. */
export async function upgradedAt(node: string): Promise<number> {
  const line = await onNode(node, "sudo grep ' upgrade rehearsal-base' /var/log/dpkg.log | head -n 1");
  const [day, time] = line.split(" ");
  return Date.parse(`${day}T${time}Z`);
}

interface KubeletEvent {
  firstTimestamp: string;
  lastTimestamp: string;
  source: { host?: string };
}

/** What a node's own kubelet told, by reason: the first and the last time, milliseconds since the epoch. */
export async function told(node: string, reason: string): Promise<{ first: number; last: number }[]> {
  const { items } = await kubectl<{ items: KubeletEvent[] }>(
    ...["get", "events", "--all-namespaces", `--field-selector=reason=${reason}`],
  );
  return items
    .filter(({ source }) => source.host === node)
    .map((event) => ({ first: Date.parse(event.firstTimestamp), last: Date.parse(event.lastTimestamp) }));
}

/** When a node was rebooted last, by its kubelet's word, milliseconds since the epoch; -Infinity where it never was. */
export const rebootedAt = async (node: string): Promise<number> =>
  Math.max(...(await told(node, "Rebooted")).map(({ last }) => last));

/** When a node's present boot began, by its journal, milliseconds since the epoch. */
export async function bootedAt(node: string): Promise<number> {
  const first = await onNode(node, "sudo journalctl --boot --no-pager --output=short-unix | head -n 1");
  return Number(first.split(" ")[0]) * 1000;
}

/** Of these nodes, by their own word, what neither patches nor a look at them move: their boot, and their RKE2's start. */
export async function atRest(nodes: readonly string[]): Promise<Record<string, string>> {
  const said = nodes.map(async (node) => {
    const unit = node.startsWith("proj-k8sm") ? "rke2-server" : "rke2-agent";
    return [
      node,
      await onNode(
        node,
        `cat /proc/sys/kernel/random/boot_id; systemctl show -P ActiveEnterTimestampMonotonic ${unit}`,
      ),
    ] as const;
  });
  return Object.fromEntries(await Promise.all(said));
}

/** Every node's boot ID. */
export const bootIds = async (): Promise<Record<string, string>> =>
  Object.fromEntries(Object.entries(await identities()).map(([name, { bootId }]) => [name, bootId]));

/** Has nodes' packages lag behind, one of which asks for a reboot; not on the quiet ones. */
export async function outdate(nodes: readonly string[], quiet: readonly string[] = []): Promise<void> {
  for (const node of nodes) await setFault(["os-outdated", node, "on"]);
  for (const node of quiet) await setFault(["os-outdated", node, "quiet", "on"]);
}
