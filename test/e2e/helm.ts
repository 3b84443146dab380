/** Helm releases on the lab: helm's own history, and the operators that the lab runs without helm as releases. */
import { packChart } from "../../rehearsal/charts/packed";
import { configure, kubectl, ok } from "./operator";

/** One revision of a release, as helm keeps it in its secrets. */
export interface Revision {
  readonly revision: number;
  readonly status: string;
  /** When it was begun, milliseconds since the epoch. */
  readonly at: number;
}

/** helm's revisions of a release, oldest first. @param namespace the release's own name unless told otherwise */
export async function revisions(name: string, namespace = name): Promise<Revision[]> {
  const { items } = await kubectl<{
    items: { metadata: { labels: Record<string, string>; creationTimestamp: string } }[];
  }>("-n", namespace, "get", "secrets", "-l", `owner=helm,name=${name}`);
  return items
    .map(({ metadata: { labels, creationTimestamp } }) => ({
      revision: Number(labels.version),
      status: labels.status ?? "",
      at: Date.parse(creationTimestamp),
    }))
    .sort((a, b) => a.revision - b.revision);
}

/** Where each stands in the config's list: the list's order is not theirs in a change. */
const PLACES = { "gpu-operator": 0, "cert-manager": 1 } as const;

/** Asks for a version of an operator, by a chart that is packed into a folder. */
export const askForOperator = (name: keyof typeof PLACES, version: string, folder: string): Promise<void> =>
  configure({
    [`operators[${PLACES[name]}].version`]: version,
    [`operators[${PLACES[name]}].chart`]: packChart(name, version, folder),
  });

/** Has the GPU operator after Kubernetes and cert-manager before it as releases; the lab runs both without helm. */
export async function makeOperators(): Promise<void> {
  for (const name of Object.keys(PLACES))
    await ok("kubectl", "-n", name, "delete", "deployment", name, "--wait");
  await ok("kubectl", "delete", "clusterpolicies.nvidia.com", "cluster-policy");
  await configure({
    "operators[0].name": "gpu-operator",
    "operators[0].namespace": "gpu-operator",
    "operators[0].when": "after",
    "operators[1].name": "cert-manager",
    "operators[1].namespace": "cert-manager",
    "operators[1].when": "before",
  });
}

/** What NVIDIA's operator says of its policy; nobody says it on the lab. */
export const policyIsReady = (): Promise<string> =>
  ok(
    ...["kubectl", "patch", "clusterpolicy", "cluster-policy", "--subresource=status", "--type=merge"],
    ...["-p", '{"status":{"state":"ready"}}'],
  );

/** What makes that word the GPU operator's health. */
export const POLICY_HEALTH = {
  "operators[0].health[0].resource": "clusterpolicies.nvidia.com/cluster-policy",
  "operators[0].health[0].path": ".status.state",
  "operators[0].health[0].value": "ready",
} as const;
