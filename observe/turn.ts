import { type ClusterNode, isDrained, type Settings } from "../config";
import { atMost } from "./atMost";
import { lookAtCluster } from "./cluster";
import { lookAtDashboards } from "./dashboards";
import type { Facts } from "./facts";
import type { LookSecrets } from "./index";
import { look } from "./look";
import { lookAtNode } from "./node";
import { lookAtVm } from "./proxmox";

/**
 * Looks at what one node's turn is about: the cluster from a server that is not this node, the node itself and every
 * server, its VM, the dashboards. Read-only, each look bounded, all at once, none throws.
 */
export async function observeTurn(
  settings: Settings,
  node: ClusterNode,
  { sshPrivateKey, proxmoxTokenSecret }: LookSecrets,
): Promise<Facts> {
  const scope = {
    servers: othersFirst(settings, node),
    drained: isDrained(settings, node) ? [node] : [],
    critical: settings.criticalWorkloads,
  };
  const [nodes, cluster, hosts, dashboards] = await Promise.all([
    atMost(
      8,
      nodesOfTurn(settings, node),
      async (one) => [one.name, await look(() => lookAtNode(one, sshPrivateKey))] as const,
    ),
    look(() => lookAtCluster(scope, sshPrivateKey)),
    look(() => lookAtVm(settings, node, proxmoxTokenSecret)),
    lookAtDashboards(settings.monitoring),
  ]);
  return { nodes: new Map(nodes), cluster, hosts, dashboards, at: new Date() };
}

/**
 * The node, and every server: each alone can say how its etcd does and what its clock shows, and what was done about the
 * node on a server is in that server's memory (config/durations.ts).
 */
export const nodesOfTurn = ({ servers }: Settings, node: ClusterNode): ClusterNode[] => [
  node,
  ...servers.filter(({ name }) => name !== node.name),
];

/** A server that is being worked on is asked last. */
const othersFirst = ({ servers }: Settings, { name }: ClusterNode): ClusterNode[] =>
  servers.toSorted((a, b) => Number(a.name === name) - Number(b.name === name));
