import type {
  KubernetesListObject,
  KubernetesObject,
  V1CertificateSigningRequest,
  V1DaemonSet,
  V1Deployment,
  V1Job,
  V1Lease,
  V1Node,
  V1PersistentVolume,
  V1Pod,
  V1PodDisruptionBudget,
  V1ReplicaSet,
  V1StatefulSet,
  V1VolumeAttachment,
} from "@kubernetes/client-node";
import type { ClusterNode, RemovedApi } from "../config";
import { bareText, shellWord } from "../scripts";
import type { Controllers } from "./controllers";
import { spend } from "./cost";
import { describeApi } from "./deprecatedApis";
import { type EtcdView, parseEtcdView } from "./etcdView";
import { askEvictions, underBudgets } from "./evictions";
import { nameOf } from "./facts";
import { askFirst } from "./firstServer";
import { type Session, withNode } from "./ssh";

/** A Plan of Rancher's system-upgrade-controller, as far as it is judged. */
export type UpgradePlan = KubernetesObject & {
  readonly spec?: { readonly version?: string; readonly upgrade?: { readonly image?: string } };
};

/** A volume of Longhorn, as far as it is judged. */
export type LonghornVolume = KubernetesObject & { readonly status?: { readonly robustness?: string } };

/** Objects that no version serves but one that the target removes: after the change nobody could read them. */
export interface StrandedObjects {
  /** `certificates.k8s.io/v1alpha1 clustertrustbundles` */
  readonly api: string;
  /** Of the first five. */
  readonly names: readonly string[];
}

/** An eviction that the API server would refuse now. */
export interface RefusedEviction {
  /** namespace/name */
  readonly pod: string;
  readonly reason: string;
}

/** The cluster as one of its servers sees it. */
export interface ClusterFacts {
  /** The server that was asked. */
  readonly askedOn: string;
  readonly nodes: readonly V1Node[];
  readonly pods: readonly V1Pod[];
  /** What makes pods; ReplicaSets without those of Deployments. */
  readonly controllers: Controllers;
  readonly budgets: readonly V1PodDisruptionBudget[];
  readonly leases: readonly V1Lease[];
  /** Pods that `criticalWorkloads` selects; the API server itself judges the selector. */
  readonly critical: readonly V1Pod[];
  readonly signingRequests: readonly V1CertificateSigningRequest[];
  /** Jobs in kube-system: RKE2's helm-install-* among them. */
  readonly systemJobs: readonly V1Job[];
  readonly volumes: readonly V1PersistentVolume[];
  readonly attachments: readonly V1VolumeAttachment[];
  /** Empty where the cluster does not know the kind. */
  readonly upgradePlans: readonly UpgradePlan[];
  /** Empty where the cluster does not know the kind. */
  readonly longhornVolumes: readonly LonghornVolume[];
  /** Asked for before a run alone, else empty. */
  readonly stranded: readonly StrandedObjects[];
  /** Of the pods that a drain would evict and that a budget may hold; see evictions.ts. */
  readonly refusedEvictions: readonly RefusedEviction[];
  /** The change that holds the cluster: `UUID who`, and since when; undefined where it is free. */
  readonly lock?: { readonly holder: string; readonly since: string };
  /** As the asked server's member knows it; undefined where that did not answer. */
  readonly etcd?: EtcdView;
  /** When it was asked, by that server's clock, as the leases are. */
  readonly at: Date;
}

/** What a look at the cluster is about, where it is not about all of it. */
export interface ClusterScope {
  /** The servers that are asked, in this order, until one answers. */
  readonly servers: readonly ClusterNode[];
  /** The agents whose drains are asked about. */
  readonly drained: readonly ClusterNode[];
  /** Label selector of critical workloads. */
  readonly critical?: string;
  /** What the target no longer serves. */
  readonly removed?: readonly RemovedApi[];
}

/** Looks at the cluster from the first server that answers. @throws with every server's reason where none does */
export const lookAtCluster = (
  { servers, ...scope }: ClusterScope,
  privateKey: string,
): Promise<ClusterFacts> =>
  askFirst(servers, (server) => withNode(server, privateKey, (session) => ask(server, session, scope)));

async function ask(
  server: ClusterNode,
  session: Session,
  { drained, critical = "", removed = [] }: Omit<ClusterScope, "servers">,
): Promise<ClusterFacts> {
  const kinds = removed.flatMap((api) => [api.version, ...api.successors].map((one) => kindOf(api, one)));
  const words = [encodeURIComponent(critical), ...kinds].map(shellWord).join(" ");
  const { code, stdout, stderr } = await session.exec(`sudo -n bash -s -- look-cluster ${words}`, {
    stdin: bareText("look-cluster"),
  });
  if (code !== 0) throw new Error(stderr.trim().split("\n")[0] || `${server.name}: exit ${code}`);
  const seen = parseCluster(server.name, stdout, removed);
  const pods = underBudgets(drained, seen.pods, seen.budgets);
  return { ...seen, refusedEvictions: await askEvictions(session, pods) };
}

const kindOf = ({ group, resource }: RemovedApi, version: string) => `${group}/${version}/${resource}`;

/** Reads what look-cluster.sh printed. Pure but for the count of what it cost. */
export function parseCluster(
  askedOn: string,
  stdout: string,
  removed: readonly RemovedApi[],
): Omit<ClusterFacts, "refusedEvictions"> {
  const lines = stdout.split("\n").filter(Boolean);
  const said = new Map(lines.map((line) => line.split("\t", 2) as [string, string]));
  spend("apiCalls", said.size);
  const json = (key: string) => JSON.parse(said.get(key) || "{}");
  const items = <T>(key: string) => (json(key) as Partial<KubernetesListObject<T & object>>).items ?? [];
  const lock = json("lock").spec ?? {};
  return {
    askedOn,
    nodes: items<V1Node>("nodes"),
    pods: items<V1Pod>("pods"),
    controllers: {
      deployments: items<V1Deployment>("deployments"),
      statefulSets: items<V1StatefulSet>("statefulsets"),
      daemonSets: items<V1DaemonSet>("daemonsets"),
      replicaSets: items<V1ReplicaSet>("replicasets"),
    },
    budgets: items<V1PodDisruptionBudget>("budgets"),
    leases: items<V1Lease>("leases"),
    critical: items<V1Pod>("critical"),
    signingRequests: items<V1CertificateSigningRequest>("requests"),
    systemJobs: items<V1Job>("charts"),
    volumes: items<V1PersistentVolume>("volumes"),
    attachments: items<V1VolumeAttachment>("attachments"),
    upgradePlans: items<UpgradePlan>("plans"),
    longhornVolumes: items<LonghornVolume>("longhorn"),
    stranded: removed.flatMap((api) => {
      const names = items<KubernetesObject>(`stored:${kindOf(api, api.version)}`).map(nameOf);
      // What is not served has no line.
      const isServed = (version: string) => said.has(`stored:${kindOf(api, version)}`);
      return names.length > 0 && !api.successors.some(isServed) ? [{ api: describeApi(api), names }] : [];
    }),
    lock: lock.holderIdentity && { holder: lock.holderIdentity, since: lock.acquireTime ?? "" },
    etcd: parseEtcdView((key) => said.get(key) ?? ""),
    at: new Date(Number(said.get("nowMs"))),
  };
}
