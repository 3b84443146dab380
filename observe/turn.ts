import type { ClusterNode, Settings } from "../config";
import { lookAtCluster } from "./cluster";
import type { Facts } from "./facts";
import type { LookSecrets } from "./index";
import { look } from "./look";
import { lookAtNode } from "./node";
import { lookAtVm } from "./proxmox";

/**
 * Looks at what one node's turn is about: the cluster from a server that is not this node, the node itself, its VM.
 * Read-only, each look bounded, none throws.
 */
export async function observeTurn(
  settings: Settings,
  node: ClusterNode,
  { sshPrivateKey, proxmoxTokenSecret }: LookSecrets,
): Promise<Facts> {
  const scope = {
    servers: othersFirst(settings, node),
    drained: node.role === "agent" ? [node] : [],
    critical: settings.criticalWorkloads,
  };
  const [cluster, seen, hosts] = await Promise.all([
    look(() => lookAtCluster(scope, sshPrivateKey)),
    look(() => lookAtNode(node, sshPrivateKey)),
    look(() => lookAtVm(settings, node, proxmoxTokenSecret)),
  ]);
  return { nodes: new Map([[node.name, seen]]), cluster, hosts, dashboards: [], at: new Date() };
}

/** A server that is being worked on is asked last. */
const othersFirst = ({ servers }: Settings, { name }: ClusterNode): ClusterNode[] =>
  servers.toSorted((a, b) => Number(a.name === name) - Number(b.name === name));
