import { join } from "node:path";
import { runInNetwork } from "../machines/network";
import { until } from "../machines/poll";
import { Kubectl } from "./kubectl";
import { operator } from "./operator";
import type { LabState } from "./state";

/** A node, lease, pod, deployment or daemonset, as far as it tells of health. */
interface KubernetesObject {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly spec: { readonly replicas?: number; readonly renewTime?: string };
  readonly status?: {
    readonly conditions?: readonly { type: string; status: string }[];
    readonly availableReplicas?: number;
    readonly desiredNumberScheduled?: number;
    readonly numberAvailable?: number;
    readonly phase?: string;
    readonly containerStatuses?: readonly {
      readonly state?: { readonly running?: { readonly startedAt: string } };
    }[];
  };
}

/**
 * Waits until a cluster serves again after a power cut: as `waitHealthy`, and
 * every running pod by containers that started since. Until its kubelet has
 * looked, a pod still shows the state that it had before.
 */
export async function waitRestarted(state: LabState, since: Date): Promise<void> {
  const seconds = 240;
  await waitHealthy(state, since, seconds);
  await until(
    "all containers to have started anew",
    seconds,
    async () => {
      const pods = await new Kubectl(state).list<KubernetesObject>("pods");
      const stale = pods.filter((pod) => !restarted(pod, since)).map(({ metadata }) => metadata.name);
      if (stale.length > 0) throw new Error(`not yet: ${stale.join(", ")}`);
      return true;
    },
    1500,
  );
}

function restarted({ status }: KubernetesObject, since: Date): boolean {
  if (status?.phase === "Succeeded" || status?.phase === "Failed") return true;
  // Kubernetes' times are whole seconds.
  const earliest = Math.floor(since.getTime() / 1000) * 1000;
  const started = (status?.containerStatuses ?? []).map(({ state }) => state?.running?.startedAt);
  const ready = status?.conditions?.find(({ type }) => type === "Ready")?.status === "True";
  return ready && started.every((time) => time !== undefined && new Date(time).getTime() >= earliest);
}

/**
 * Waits until the cluster serves: every server's API answers, every node is
 * Ready by a lease that it renewed after the given moment (a condition alone
 * may be from before a power cut), every deployment and daemonset is available.
 * @param seconds gives up after this long, naming what is still missing.
 */
export async function waitHealthy(state: LabState, since: Date, seconds = 180): Promise<void> {
  await until(
    "a healthy cluster",
    seconds,
    async () => {
      const missing = await unhealthy(state, since);
      if (missing.length > 0) throw new Error(missing.join("; "));
      return true;
    },
    1500,
  );
}

/**
 * What is missing to a healthy cluster; empty when nothing is. The servers are
 * asked one by one only when all else is well: starting kubectl costs more here
 * than the answer.
 */
export async function unhealthy(state: LabState, since: Date): Promise<string[]> {
  const kinds = "nodes,leases.coordination.k8s.io,deployments.apps,daemonsets.apps";
  const objects = await new Kubectl(state).list<KubernetesObject>(kinds);
  const missing = [...unreadyNodes(objects, state, since), ...objects.flatMap(unavailable)];
  return missing.length > 0 ? missing : silentServers(state);
}

/** Servers whose own API does not answer as ready. */
async function silentServers({ stack, builds }: LabState): Promise<string[]> {
  const servers = stack.nodes.filter(({ role }) => role === "server");
  const answers = await Promise.allSettled(
    servers.map(({ address }) =>
      runInNetwork(join(builds.kubernetes, "kubectl"), [
        ...[
          "--kubeconfig",
          operator.kubeconfig,
          "--server",
          `https://${address}:6443`,
          "--request-timeout=5s",
        ],
        ...["get", "--raw", "/readyz"],
      ]),
    ),
  );
  return servers
    .filter((_, index) => answers[index]?.status === "rejected")
    .map(({ name }) => `${name}: API not ready`);
}

function unreadyNodes(objects: readonly KubernetesObject[], { stack }: LabState, since: Date): string[] {
  const find = (kind: string, name: string, namespace?: string) =>
    objects.find(
      (object) =>
        object.kind === kind && object.metadata.name === name && object.metadata.namespace === namespace,
    );
  return stack.nodes.flatMap(({ name }) => {
    const node = find("Node", name);
    const ready = node?.status?.conditions?.find(({ type }) => type === "Ready")?.status;
    if (ready !== "True") return [`${name}: ${node ? `Ready is ${ready}` : "has not joined"}`];
    const renewed = new Date(find("Lease", name, "kube-node-lease")?.spec.renewTime ?? 0);
    return renewed > since ? [] : [`${name}: lease last renewed ${renewed.toISOString()}`];
  });
}

function unavailable({ kind, metadata, spec, status }: KubernetesObject): string[] {
  if (kind !== "Deployment" && kind !== "DaemonSet") return [];
  const wanted = kind === "Deployment" ? (spec.replicas ?? 1) : (status?.desiredNumberScheduled ?? 1);
  const available = (kind === "Deployment" ? status?.availableReplicas : status?.numberAvailable) ?? 0;
  return available >= wanted
    ? []
    : [`${metadata.namespace}/${metadata.name}: ${available} of ${wanted} available`];
}
