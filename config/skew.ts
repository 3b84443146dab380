/** Kubernetes' version skew policy, for every pair of components that will meet during a run. Pure. */
import { isAtLeastMinor, kubernetesMinor, type Version } from "./versions";

/** A node with the version of what runs on it: on a server the API server, controller manager and scheduler too. */
export interface RunningNode {
  readonly name: string;
  readonly role: "server" | "agent";
  readonly version: Version;
}

/**
 * A kubelet or kube-proxy may be three minors older than an API server, before 1.25 two
 * (kubernetes.io/releases/version-skew-policy).
 */
const kubeletMinorsBehind = (kubelet: Version): number => (isAtLeastMinor(kubelet, 1, 25) ? 3 : 2);

/** A rule that is broken by a pair. */
export interface SkewFault {
  readonly text: string;
  /** It is broken now already and no more once the servers are done: going on is the way out of it. */
  readonly ends: boolean;
}

/**
 * Every rule that is broken now or would be at any moment of the run: nodes reach the target one at a time, in the
 * order given, servers first. RKE2's controller managers, schedulers and kubectl ask their own server's API server
 * alone, so they are as old as it; kube-proxy is as old as its node's kubelet.
 * @returns one a broken pair; empty where the run is sound from end to end
 */
export function skewFaults(nodes: readonly RunningNode[], target: Version): SkewFault[] {
  const ordered = [
    ...nodes.filter(({ role }) => role === "server"),
    ...nodes.filter(({ role }) => role === "agent"),
  ];
  const moments = Array.from({ length: ordered.length + 1 }, (_, upgraded) =>
    ordered.map((node, i) => (i < upgraded ? { ...node, version: target } : node)),
  );
  const faults = moments.map(faultsOf);
  const servers = ordered.filter(({ role }) => role === "server").length;
  const [now = []] = faults;
  const later = new Set(faults.slice(servers).flat());
  return [...new Set(faults.flat())].map((text) => ({ text, ends: now.includes(text) && !later.has(text) }));
}

function faultsOf(nodes: readonly RunningNode[]): string[] {
  const servers = nodes.filter(({ role }) => role === "server");
  const apart = pairs(servers)
    .filter(([a, b]) => a.version.minor - b.version.minor > 1)
    .map(([a, b]) => `the API servers of ${say(a)} and ${say(b)} are more than one minor apart`);
  // An agent's kubelet asks any of the servers; a server's own asks its own.
  const kubelets = nodes
    .filter(({ role }) => role === "agent")
    .flatMap((agent) => servers.flatMap((server) => kubeletFault(agent, server)));
  return [...apart, ...kubelets];
}

function kubeletFault(kubelet: RunningNode, api: RunningNode): string[] {
  const behind = api.version.minor - kubelet.version.minor;
  const most = kubeletMinorsBehind(kubelet.version);
  if (behind < 0) return [`the kubelet of ${say(kubelet)} is newer than the API server of ${say(api)}`];
  if (behind <= most) return [];
  return [
    `the kubelet of ${say(kubelet)} is more than ${most} minors older than the API server of ${say(api)}`,
  ];
}

const pairs = <T>(items: readonly T[]): [T, T][] =>
  items.flatMap((a) => items.filter((b) => b !== a).map((b): [T, T] => [a, b]));

const say = ({ name, version }: RunningNode): string => `${name} (${kubernetesMinor(version)})`;
