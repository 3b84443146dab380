/** Facts of a healthy lab cluster, to be made wrong one at a time. */
import type { V1Node, V1Pod } from "@kubernetes/client-node";
import { parseSettings, type Settings } from "../../config";
import type { Facts, NodeFacts } from "../../observe";
import type { ClusterFacts } from "../../observe/cluster";
import { lab } from "../config/lab";

export const FROM = "v1.35.4+rke2r1";
export const TO = "v1.36.3+rke2r1";
export const OWNER = "11111111-2222-3333-4444-555555555555";

export const settings: Settings = parseSettings(lab({ rke2Version: TO, acceptedVersion: FROM }));
export const AT = new Date("2026-09-06T01:00:00Z");

export const healthyNode: NodeFacts = {
  hostname: "x",
  versionOnDisk: FROM,
  versionRunning: FROM,
  binary: "/usr/local/bin/rke2",
  service: "active",
  serviceSince: "",
  bootId: "",
  owner: "",
  step: "",
  rancherManaged: false,
  ingressController: "none",
  freeMiB: 20_000,
  cgroup: "cgroup2fs",
  clockSkewMs: 3,
  deprecatedApis: [],
  durations: [],
};

export function clusterNode(name: string, changes: Partial<V1Node> = {}): V1Node {
  return {
    metadata: { name },
    status: { conditions: [{ type: "Ready", status: "True" }], nodeInfo: { kubeletVersion: FROM } as never },
    ...changes,
  };
}

export function pod(name: string, node: string, changes: Partial<V1Pod> = {}): V1Pod {
  return {
    metadata: {
      name,
      namespace: "lab",
      ownerReferences: [{ kind: "ReplicaSet", controller: true } as never],
    },
    spec: { nodeName: node, containers: [], terminationGracePeriodSeconds: 30 },
    status: { phase: "Running" },
    ...changes,
  };
}

const healthyCluster: ClusterFacts = {
  askedOn: "proj-k8sm01",
  readyMs: 40,
  nodes: settings.nodes.map((node) => clusterNode(node.name)),
  pods: [],
  critical: [],
  budgets: [],
  leases: settings.nodes.map((node) => ({
    metadata: { name: node.name },
    spec: { renewTime: new Date(AT.getTime() - 5_000) as never },
  })),
  members: settings.servers.map((node) => ({ name: node.name, peerUrl: node.address, version: "3.6.16" })),
  hasLeader: true,
  alarms: 0,
  at: AT,
};

/** The healthy lab with changes: to one node, to the cluster, or to what could be measured at all. */
export function facts(
  changes: { node?: [name: string, facts: Partial<NodeFacts>]; cluster?: Partial<ClusterFacts> } = {},
): Facts {
  const nodes = new Map(settings.nodes.map(({ name }) => [name, { value: healthyNode }] as const));
  if (changes.node) nodes.set(changes.node[0], { value: { ...healthyNode, ...changes.node[1] } });
  return {
    nodes,
    cluster: { value: { ...healthyCluster, ...changes.cluster } },
    hosts: { value: { findings: [] } },
    at: AT,
  };
}
