import type {
  KubernetesListObject,
  V1Lease,
  V1Node,
  V1Pod,
  V1PodDisruptionBudget,
} from "@kubernetes/client-node";
import type { ClusterNode } from "../config";
import { bareText, shellWord } from "../scripts";
import { LOOK_TIMEOUT_MS, withNode } from "./ssh";

/** An etcd member as the asked one lists it, and what it answered itself. */
export interface EtcdMember {
  readonly name: string;
  readonly peerUrl: string;
  /** etcd's version as the member says it itself; undefined where it did not answer. */
  readonly version?: string;
}

/** The cluster as one of its servers sees it. */
export interface ClusterFacts {
  /** The server that was asked. */
  readonly askedOn: string;
  /** How long the API server took to say that it is ready, milliseconds. */
  readonly readyMs: number;
  readonly nodes: readonly V1Node[];
  readonly pods: readonly V1Pod[];
  readonly budgets: readonly V1PodDisruptionBudget[];
  readonly leases: readonly V1Lease[];
  /** Running pods that `criticalWorkloads` selects; the API server itself judges the selector. */
  readonly critical: readonly V1Pod[];
  /** The change that holds the cluster: `UUID who`, and since when; undefined where it is free. */
  readonly lock?: { readonly holder: string; readonly since: string };
  readonly members: readonly EtcdMember[];
  /** Whether the asked member knows a leader. */
  readonly hasLeader: boolean;
  readonly alarms: number;
  /** When it was asked, by that server's clock, as the leases are. */
  readonly at: Date;
}

/**
 * Looks at the cluster from the first server that answers: agents hold no credentials for it.
 * @throws with every server's reason where none answers
 */
export async function lookAtCluster(
  servers: readonly ClusterNode[],
  privateKey: string,
  criticalWorkloads = "",
): Promise<ClusterFacts> {
  const reasons: string[] = [];
  for (const server of servers) {
    try {
      return await ask(server, privateKey, criticalWorkloads);
    } catch (error) {
      reasons.push(error instanceof Error ? error.message : String(error));
    }
  }
  throw new Error(reasons.join("; "));
}

async function ask(server: ClusterNode, privateKey: string, critical: string): Promise<ClusterFacts> {
  const { code, stdout, stderr } = await withNode(server, privateKey, (session) =>
    session.exec(`sudo -n bash -s -- look-cluster ${shellWord(encodeURIComponent(critical))}`, {
      stdin: bareText("look-cluster"),
      timeoutMs: LOOK_TIMEOUT_MS,
    }),
  );
  if (code !== 0) throw new Error(stderr.trim().split("\n")[0] || `${server.name}: exit ${code}`);
  const said = new Map(
    stdout
      .split("\n")
      .filter(Boolean)
      .map((line) => line.split("\t", 2) as [string, string]),
  );
  const json = (key: string) => JSON.parse(said.get(key) || "{}");
  const items = <T>(key: string) => (json(key) as Partial<KubernetesListObject<T & object>>).items ?? [];
  const lock = json("lock");
  const members = json("members") as { members?: { name?: string; peerURLs?: string[] }[] };
  return {
    askedOn: server.name,
    readyMs: Number(said.get("readyMs")),
    nodes: items<V1Node>("nodes"),
    pods: items<V1Pod>("pods"),
    budgets: items<V1PodDisruptionBudget>("budgets"),
    leases: items<V1Lease>("leases"),
    critical: items<V1Pod>("critical"),
    lock: lock.holderIdentity && { holder: lock.holderIdentity, since: lock.acquireTime ?? "" },
    members: (members.members ?? []).map((member) => {
      const peerUrl = member.peerURLs?.[0] ?? "";
      return { name: member.name ?? "", peerUrl, version: json(`member ${peerUrl}`).etcdserver };
    }),
    hasLeader: !["0", undefined].includes(json("etcd").leader),
    alarms: (json("alarms").alarms ?? []).length,
    at: new Date(Number(said.get("nowMs"))),
  };
}
