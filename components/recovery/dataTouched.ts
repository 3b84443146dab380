import type { ClusterNode } from "../../config";
import { lookBack } from "../../observe";
import { connect } from "../../proxmox/connect";
import { rolledBack } from "../../proxmox/rollback";
import type { ProviderContext } from "../providerConfig";
import type { Attempt } from "./record";

/** Whether an attempt was one at single nodes: `rollback:proj-k8sm02`. */
export const isMend = ({ goBack }: Attempt): boolean => goBack.includes(":");

/** The nodes that a mend is at; none for a way back of the whole cluster. */
export const nodesOf = ({ goBack }: Attempt): string[] => goBack.split(":")[1]?.split(",") ?? [];

/**
 * Whether any of these ways back of the whole cluster went so far that servers no longer hold the same etcd: a VM put
 * back, or a reset begun. Then they must not be started as they are: two clusters would come up.
 */
export async function isDataTouched(
  context: ProviderContext,
  attempts: readonly Attempt[],
): Promise<boolean> {
  const { settings, sshPrivateKey } = context;
  const whole = attempts.filter((one) => !isMend(one));
  for (const one of whole.filter(({ goBack }) => goBack === "rollback"))
    if ((await vmsPutBack(context, one, settings.servers)).size > 0) return true;
  const placed = whole.filter((one) => one.placed);
  const [first] = settings.servers;
  if (placed.length === 0 || !first) return false;
  const { resets } = await lookBack(first, sshPrivateKey, settings.acceptedVersion, settings.changeId);
  return placed.some(({ attempt }) =>
    resets.some((path) => path.includes(`/${settings.changeId}-${attempt}/`)),
  );
}

/** Those of the nodes, by name, whose VMs were put back since an attempt was begun, or are being put back. */
export async function vmsPutBack(
  { settings, proxmoxTokenSecret }: ProviderContext,
  { beganAt }: Attempt,
  nodes: readonly ClusterNode[],
): Promise<ReadonlySet<string>> {
  const client = connect(settings, proxmoxTokenSecret);
  try {
    const vmIds = nodes.map(({ vmId }) => vmId);
    const found = await rolledBack(client, vmIds, new Date(beganAt));
    return new Set(nodes.filter(({ vmId }) => found.has(vmId)).map(({ name }) => name));
  } finally {
    await client.close();
  }
}
