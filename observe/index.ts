import { isChanging, isDrained, parseVersion, patchedNodes, removedBetween, type Settings } from "../config";
import { atMost } from "./atMost";
import { lookAtCluster } from "./cluster";
import { lookAtDashboards } from "./dashboards";
import type { Facts } from "./facts";
import { readKubeconfig } from "./kubeconfig";
import { look } from "./look";
import { lookAtNode } from "./node";
import { lookAtOs, lookBeforeTurn } from "./os";
import { lookAtHosts } from "./proxmox";

export { lookAtVolumes, lookBack, type NodeBack } from "./back";
export {
  type Census,
  type CensusChange,
  censusSchema,
  compareCensus,
  describeCensus,
  lookAtCensus,
} from "./census";
export { lookAtKubeVersion } from "./chart";
export { judgeEtcdMounts } from "./checks/node";
export { isVersion, judgeOperatorsWindow, judgeReleases, operatorsSeen, toBeMoved } from "./checks/operators";
export { judgeExport, judgeRancher } from "./checks/rancher";
export { judgeTiming, judgeTurnTiming } from "./checks/timing";
export { type Criterion, describeCriteria, judgeCriteria, OF_CRITERIA } from "./criteria";
export { holdTheSame, lookAtMembers, type MemberFacts, notOne } from "./etcd";
export { type Facts, inTurn } from "./facts";
export type { Finding } from "./finding";
export { judge, judgeTurn } from "./judge";
export { notLive } from "./live";
export { lookAtNode, type NodeFacts } from "./node";
export { concernsRancher, lookAtRancher, parseRancher, type RancherFacts } from "./rancher";
export { lookAtReleases, parseReleases, type ReleaseFacts, type Releases, releaseId } from "./releases";
export { refusesLogin, type Session, type SshTarget, withNode } from "./ssh";
export { nodesOfTurn, observeTurn } from "./turn";
export { lookAtWritten, type Written } from "./written";

/** What a look needs beside the settings. */
export interface LookSecrets {
  readonly sshPrivateKey: string;
  readonly proxmoxTokenSecret: string;
  /** The configured one, where there is one. */
  readonly kubeconfig?: string;
}

/**
 * Looks at nodes, cluster and Proxmox at once: read-only, each look bounded, none throws. At most eight nodes at a
 * time, so that a large cluster does not look like an attack.
 */
export async function observe(settings: Settings, secrets: LookSecrets): Promise<Facts> {
  const { servers, criticalWorkloads: critical } = settings;
  const drained = settings.nodes.filter((node) => isDrained(settings, node));
  // Settled, no node has a turn.
  const patched = isChanging(settings) ? patchedNodes(settings) : [];
  const [nodes, cluster, hosts, dashboards] = await Promise.all([
    atMost(8, settings.nodes, async (node) => {
      const { name } = node;
      const seen = await look(() => lookAtNode(node, secrets.sshPrivateKey));
      const os = patched.includes(node)
        ? await lookBeforeTurn(settings, seen, () => lookAtOs(settings, node, secrets.sshPrivateKey))
        : undefined;
      return { name, seen, os };
    }),
    look(() =>
      lookAtCluster({ servers, drained, critical, removed: removedBy(settings) }, secrets.sshPrivateKey),
    ),
    look(() => lookAtHosts(settings, secrets.proxmoxTokenSecret)),
    lookAtDashboards(settings.monitoring),
  ]);
  const os = nodes.flatMap((node) => (node.os ? [[node.name, node.os] as const] : []));
  const kubeconfig = secrets.kubeconfig ? readKubeconfig(secrets.kubeconfig) : undefined;
  return {
    nodes: new Map(nodes.map(({ name, seen }) => [name, seen])),
    cluster,
    hosts,
    dashboards,
    kubeconfig,
    at: new Date(),
    ...(os.length > 0 && { os: new Map(os) }),
  };
}

/** What the target no longer serves. */
function removedBy({ acceptedVersion, rke2Version }: Settings) {
  const [from, to] = [parseVersion(acceptedVersion), parseVersion(rke2Version)];
  return from && to ? removedBetween(from, to) : [];
}
