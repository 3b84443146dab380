import { isIPv4 } from "node:net";
import type { Settings } from "../../config";
import type { ClusterFacts } from "../cluster";
import { isMarked, isReady, nameOf } from "../facts";
import { type Finding, must } from "../finding";
import { ROWS } from "../rows";

/** The nodes as the cluster sees them: Ready, their leases renewed, the same as configured. */
export function judgeNodes(settings: Settings, { nodes, leases, at }: ClusterFacts): Finding[] {
  const quiet = nodes.filter((node) => !isMarked(settings, node));
  const ready = nodes.filter(isReady);
  const sick = quiet.filter((node) => !isReady(node)).map(nameOf);
  const { leaseSeconds } = settings.limits;
  const renewed = new Map(
    leases.map((lease) => [nameOf(lease), new Date(lease.spec?.renewTime ?? 0).getTime()]),
  );
  const isStale = (name: string) => at.getTime() - (renewed.get(name) ?? 0) > leaseSeconds * 1000;
  const stale = quiet.map(nameOf).filter(isStale);
  const configured = settings.nodes.map(({ name }) => name);
  const found = nodes.map(nameOf);
  // Going back, with the API dead, servers are joined there.
  const misplaced = settings.servers.flatMap(({ name, internalIp }) => {
    const { addresses } = nodes.find((node) => nameOf(node) === name)?.status ?? {};
    const own = (addresses ?? []).flatMap(({ type, address }) =>
      type === "InternalIP" && isIPv4(address) ? [address] : [],
    );
    return own.length === 0 || own.includes(internalIp)
      ? []
      : [`${name} has the InternalIP ${own.join(", ")}, not ${internalIp}`];
  });
  const strangers = [
    ...found.filter((name) => !configured.includes(name)).map((name) => `${name} is not in nodes`),
    ...configured.filter((name) => !found.includes(name)).map((name) => `${name} is not in the cluster`),
    ...misplaced,
  ];
  const pressed = quiet.flatMap((node) => {
    const kinds = (node.status?.conditions ?? []).filter(
      ({ type, status }) => type.endsWith("Pressure") && status === "True",
    );
    return kinds.length ? [`${nameOf(node)}: ${kinds.map(({ type }) => type).join(", ")}`] : [];
  });
  return [
    {
      check: "cluster: nodes Ready",
      found: sick.length ? `not Ready: ${sick.join(", ")}` : `${ready.length} of ${nodes.length}`,
      wanted: "all, but for one in its turn",
      ...must(
        sick.length === 0,
        `kubectl describe node ${sick[0]}; nothing is taken down while another node is. ${ROWS.join}`,
      ),
    },
    {
      check: "cluster: leases renewed",
      found: stale.length ? `stale: ${stale.join(", ")}` : "all",
      wanted: `within ${leaseSeconds} s`,
      ...must(
        stale.length === 0,
        `the kubelet there has lost the API (rancher/rke2#6208): restart rke2 on it. ${ROWS.join}`,
      ),
    },
    {
      check: "cluster: pressure on nodes",
      found: pressed.join("; ") || "none",
      wanted: "none of memory, disk or process IDs",
      ...must(
        pressed.length === 0,
        'kubectl describe node it (Conditions, Events). §4.2 "Workloads fail to reschedule": check taints and resources',
      ),
    },
    {
      check: "cluster: nodes as configured",
      found: strangers.join(", ") || `${configured.length}`,
      wanted: `${configured.length}, the same names, the servers at their InternalIPs`,
      ...must(
        strangers.length === 0,
        strangers.length > misplaced.length
          ? "every node of the cluster must stand in nodes: skew is judged over all of them"
          : "set nodes[].internalIp to that: going back, the other servers join there",
      ),
    },
  ];
}
