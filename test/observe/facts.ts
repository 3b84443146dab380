/** Facts of a healthy lab cluster, to be made wrong one at a time. */
import type { V1Node, V1Pod } from "@kubernetes/client-node";
import { parseSettings, type Settings } from "../../config";
import type { Facts, NodeFacts } from "../../observe";
import type { ClusterFacts } from "../../observe/cluster";
import type { EtcdView } from "../../observe/etcdView";
import type { OwnEtcd, ServerFacts } from "../../observe/node";
import type { BackupFacts } from "../../observe/proxmox";
import { lab } from "../config/lab";

export const FROM = "v1.35.4+rke2r1";
export const TO = "v1.36.3+rke2r1";
export const OWNER = "11111111-2222-3333-4444-555555555555";

export const settings: Settings = parseSettings(lab({ rke2Version: TO, acceptedVersion: FROM }));
export const AT = new Date("2026-09-06T01:00:00Z");

export const healthyNode: NodeFacts = {
  versionOnDisk: FROM,
  versionRunning: FROM,
  binary: "/usr/local/bin/rke2",
  service: "active",
  bootId: "",
  cards: [],
  owner: "",
  rancherManaged: false,
  unknownLayout: [],
  etcdMounts: [],
  ingressController: "none",
  disks: [{ mount: "/", freeMiB: 20_000, inodesFree: 900_000, inodes: 1_000_000 }],
  memoryMiB: 16_000,
  memoryFreeMiB: 12_000,
  certificates: 30,
  dueCertificates: [],
  containerdTemplates: [],
  cgroup: "cgroup2fs",
  clockSkewMs: 3,
  deprecatedApis: [],
  durations: [],
  left: { at: "", version: "", changes: [] },
  patchedUnder: [],
  clockErrorMs: 20,
};

/** etcd as each of its members knows it. */
export const healthyEtcd: EtcdView = {
  members: settings.servers.map(({ name, address }) => ({
    name: `${name}-0a1b2c3d`,
    peerUrl: address,
    isLearner: false,
    version: "3.6.16",
  })),
  leader: "7",
  alarms: 0,
};

/** A server's word of its own etcd member. */
export const healthyServer: ServerFacts & { readonly etcd: OwnEtcd } = {
  cpuUsed: 0.1,
  fsyncs: 20,
  fsyncMs: 4,
  etcd: { ...healthyEtcd, dbBytes: 50 * 2 ** 20, quotaBytes: 2 ** 31, isLearner: false },
  kubeconfigCa: "5e1f",
  ready: { value: 40 },
};

/** What the lab's nodes offer. */
const OFFERED = { cpu: "4", memory: "16Gi", pods: "110" };

export function clusterNode(name: string, changes: Partial<V1Node> = {}): V1Node {
  return {
    metadata: { name },
    ...changes,
    status: {
      conditions: [{ type: "Ready", status: "True" }],
      allocatable: OFFERED,
      ...changes.status,
      nodeInfo: {
        kubeletVersion: FROM,
        bootID: `boot of ${name}`,
        ...(changes.status?.nodeInfo as object),
      } as never,
    },
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

export const healthyCluster: ClusterFacts = {
  askedOn: "proj-k8sm01",
  nodes: settings.nodes.map((node) => clusterNode(node.name)),
  pods: [],
  controllers: { deployments: [], statefulSets: [], daemonSets: [], replicaSets: [] },
  critical: [],
  budgets: [],
  leases: settings.nodes.map((node) => ({
    metadata: { name: node.name },
    spec: { renewTime: new Date(AT.getTime() - 5_000) as never },
  })),
  signingRequests: [],
  systemJobs: [],
  volumes: [],
  attachments: [],
  upgradePlans: [],
  longhornVolumes: [],
  refusedEvictions: [],
  stranded: [],
  etcd: healthyEtcd,
  at: AT,
};

/** A backup a night, outside the window. */
const backups: BackupFacts = {
  jobs: { value: [] },
  timeZone: { value: "UTC" },
  last: new Map(settings.nodes.map(({ vmId }) => [vmId, { at: AT }])),
};

/** Each VM's only network card. */
const cards = new Map(settings.nodes.map(({ name, vmId }) => [vmId, { value: [`card of ${name}`] }]));

/** The healthy lab with changes: to one node, to the cluster, or to what could be measured at all. */
export function facts(
  changes: { node?: [name: string, facts: Partial<NodeFacts>]; cluster?: Partial<ClusterFacts> } = {},
): Facts {
  const nodes = new Map(
    settings.nodes.map(({ name, role }) => {
      const changed = changes.node?.[0] === name ? changes.node[1] : {};
      const server = role === "server" ? healthyServer : undefined;
      return [
        name,
        {
          value: {
            ...healthyNode,
            bootId: `boot of ${name}`,
            cards: [`card of ${name}`],
            server,
            ...changed,
          },
        },
      ] as const;
    }),
  );
  return {
    nodes,
    cluster: { value: { ...healthyCluster, ...changes.cluster } },
    hosts: { value: { findings: [], backups, cards } },
    at: AT,
    dashboards: [],
  };
}

/** The healthy lab, but for how one server's own member knows etcd. */
export const withEtcd = (name: string, etcd: Partial<OwnEtcd>, cluster: Partial<ClusterFacts> = {}): Facts =>
  facts({
    cluster,
    node: [name, { server: { ...healthyServer, etcd: { ...healthyServer.etcd, ...etcd } } }],
  });
