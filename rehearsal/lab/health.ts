import { join } from "node:path";
import { runInNetwork } from "../machines/network";
import { until } from "../machines/poll";
import { Kubectl } from "./kubectl";
import { operator } from "./operator";
import type { LabState } from "./state";

interface Node {
  readonly metadata: { readonly name: string };
  readonly status: { readonly conditions?: readonly { type: string; status: string }[] };
}

interface Lease {
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly spec: { readonly renewTime?: string };
}

interface Workload {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly spec: { readonly replicas?: number };
  readonly status: {
    readonly availableReplicas?: number;
    readonly desiredNumberScheduled?: number;
    readonly numberAvailable?: number;
  };
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
    500,
  );
}

/** What is missing to a healthy cluster; empty when nothing is. */
export async function unhealthy(state: LabState, since: Date): Promise<string[]> {
  const kubectl = new Kubectl(state);
  const [servers, nodes, workloads] = await Promise.all([
    silentServers(state),
    unreadyNodes(kubectl, state, since),
    unavailableWorkloads(kubectl),
  ]);
  return [...servers, ...nodes, ...workloads];
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

async function unreadyNodes(kubectl: Kubectl, { stack }: LabState, since: Date): Promise<string[]> {
  const [nodes, leases] = await Promise.all([kubectl.list<Node>("nodes"), kubectl.list<Lease>("leases")]);
  return stack.nodes.flatMap(({ name }) => {
    const node = nodes.find(({ metadata }) => metadata.name === name);
    const ready = node?.status.conditions?.find(({ type }) => type === "Ready")?.status;
    if (ready !== "True") return [`${name}: ${node ? `Ready is ${ready}` : "has not joined"}`];
    const lease = leases.find(
      ({ metadata }) => metadata.namespace === "kube-node-lease" && metadata.name === name,
    );
    const renewed = new Date(lease?.spec.renewTime ?? 0);
    return renewed > since ? [] : [`${name}: lease last renewed ${renewed.toISOString()}`];
  });
}

async function unavailableWorkloads(kubectl: Kubectl): Promise<string[]> {
  const workloads = await kubectl.list<Workload>("deployments,daemonsets");
  return workloads.flatMap(({ kind, metadata, spec, status }) => {
    const wanted = kind === "Deployment" ? (spec.replicas ?? 1) : (status.desiredNumberScheduled ?? 1);
    const available = (kind === "Deployment" ? status.availableReplicas : status.numberAvailable) ?? 0;
    return available >= wanted
      ? []
      : [`${metadata.namespace}/${metadata.name}: ${available} of ${wanted} available`];
  });
}
