import type { Settings } from "../config";
import { lookAtCluster } from "./cluster";
import type { Facts } from "./facts";
import { look } from "./look";
import { lookAtNode } from "./node";
import { lookAtHosts } from "./proxmox";

export { judgeTiming, judgeTurnTiming } from "./checks/timing";
export { type Facts, inTurn } from "./facts";
export type { Finding } from "./finding";
export { judge } from "./judge";
export { notLive } from "./live";
export { lookAtNode, type NodeFacts } from "./node";
export { type Session, type SshTarget, withNode } from "./ssh";

/** What a look needs beside the settings. */
export interface LookSecrets {
  readonly sshPrivateKey: string;
  readonly proxmoxTokenSecret: string;
}

/**
 * Looks at nodes, cluster and Proxmox at once: read-only, each look bounded, none throws. At most eight nodes at a
 * time, so that a large cluster does not look like an attack.
 */
export async function observe(settings: Settings, secrets: LookSecrets): Promise<Facts> {
  const waiting = [...settings.nodes];
  const nodes: [string, Awaited<ReturnType<typeof lookOne>>][] = [];
  const lookOne = (node: Settings["nodes"][number]) => look(() => lookAtNode(node, secrets.sshPrivateKey));
  const worker = async () => {
    for (let node = waiting.shift(); node; node = waiting.shift())
      nodes.push([node.name, await lookOne(node)]);
  };
  const [cluster, hosts] = await Promise.all([
    look(() => lookAtCluster(settings.servers, secrets.sshPrivateKey, settings.criticalWorkloads)),
    look(() => lookAtHosts(settings, secrets.proxmoxTokenSecret)),
    ...Array.from({ length: 8 }, worker),
  ]);
  return { nodes: new Map(nodes), cluster, hosts, at: new Date() };
}
