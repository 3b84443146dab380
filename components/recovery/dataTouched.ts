import { lookBack } from "../../observe";
import { connect } from "../../proxmox/connect";
import { rolledBack } from "../../proxmox/rollback";
import type { ProviderContext } from "../providerConfig";
import type { Attempt } from "./record";

/** Whether an attempt was one at single nodes: `rollback:proj-k8sm02`. */
export const isMend = ({ goBack }: Attempt): boolean => goBack.includes(":");

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
    if ((await vmsPutBack(context, one)).size > 0) return true;
  const placed = whole.filter((one) => one.placed);
  const [first] = settings.servers;
  if (placed.length === 0 || !first) return false;
  const { resets } = await lookBack(first, sshPrivateKey, settings.acceptedVersion, settings.changeId);
  return placed.some(({ attempt }) =>
    resets.some((path) => path.includes(`/${settings.changeId}-${attempt}/`)),
  );
}

/** The nodes, by name, whose VMs were put back in an attempt, or are being put back. */
export async function vmsPutBack(
  { settings, proxmoxTokenSecret }: ProviderContext,
  { beganAt }: Attempt,
): Promise<ReadonlySet<string>> {
  const client = connect(settings, proxmoxTokenSecret);
  try {
    const found = await rolledBack(
      client,
      settings.nodes.map(({ vmId }) => vmId),
      new Date(beganAt),
    );
    return new Set(settings.nodes.filter(({ vmId }) => found.has(vmId)).map(({ name }) => name));
  } finally {
    await client.close();
  }
}
