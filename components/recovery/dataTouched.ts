import { setTimeout as pause } from "node:timers/promises";
import type { ClusterNode } from "../../config";
import { holdTheSame, lookAtMembers, lookBack, type MemberFacts, type NodeBack } from "../../observe";
import { withProxmox } from "../../proxmox/connect";
import { rolledBack } from "../../proxmox/rollback";
import type { ProviderContext } from "../providerConfig";
import type { Attempt } from "./record";

/** Whether an attempt was one at single nodes: `rollback:proj-k8sm02`. */
export const isMend = ({ goBack }: Attempt): boolean => goBack.includes(":");

/** The nodes that a mend is at; none for a way back of the whole cluster. */
export const nodesOf = ({ goBack }: Attempt): string[] => goBack.split(":")[1]?.split(",") ?? [];

/** What ways back of the whole cluster that were left open have made of the servers' etcd. */
export interface ServersData {
  /**
   * apart: a VM was put back, or a reset begun, and the servers are not one etcd. They must not be started as they are:
   * two clusters would come up. one again: the same was done or tried, and every server is in one etcd that lives and
   * may have been written to since: to reset it once more would lose that.
   */
  readonly state: "as it was" | "apart" | "one again";
  /** The release that a node which is down comes up on: no kubelet is to be newer than its API server. */
  readonly version: string;
}

/** How long servers that all run RKE2 are given to be one: a leader may just be elected, a member just join. */
const BECOME_ONE_MS = 60_000;

/** Which of these it is. @throws where it depends on a server that does not answer: nobody is to guess then */
export async function serversData(
  context: ProviderContext,
  attempts: readonly Attempt[],
  waitMs = BECOME_ONE_MS,
): Promise<ServersData> {
  const { settings } = context;
  if (!(await wasBegun(context, attempts))) return { state: "as it was", version: settings.rke2Version };
  const seen = await Promise.all(settings.servers.map((server) => ask(context, server)));
  const areUp = seen.every(({ service }) => service === "active" || service === "activating");
  const isOne = await becomeOne(context, areUp ? waitMs : 0);
  const runs = seen[0]?.versionRunning || seen[0]?.versionOnDisk;
  return isOne
    ? { state: "one again", version: runs || settings.rke2Version }
    : { state: "apart", version: settings.rke2Version };
}

/** Whether the servers no longer hold the same etcd. */
export const isDataTouched = async (
  context: ProviderContext,
  attempts: readonly Attempt[],
): Promise<boolean> => (await serversData(context, attempts)).state === "apart";

/** Whether a server's VM was put back, or that was tried, or a reset of etcd begun. */
async function wasBegun(context: ProviderContext, attempts: readonly Attempt[]): Promise<boolean> {
  const { settings } = context;
  const whole = attempts.filter((one) => !isMend(one));
  for (const one of whole.filter(({ goBack }) => goBack === "rollback"))
    if ((await vmsPutBack(context, one, settings.servers)).size > 0) return true;
  const placed = whole.filter((one) => one.placed);
  const [first] = settings.servers;
  if (placed.length === 0 || !first) return false;
  const { resets } = await ask(context, first);
  return placed.some(({ attempt }) =>
    resets.some((path) => path.includes(`/${settings.changeId}-${attempt}/`)),
  );
}

const ask = ({ settings, sshPrivateKey }: ProviderContext, server: ClusterNode): Promise<NodeBack> =>
  lookBack(server, sshPrivateKey, settings.acceptedVersion, settings.changeId).catch((error: Error) => {
    throw new Error(
      `whether the servers' etcd is one cannot be told: ${error.message}. next: mend ${server.name}'s network or SSH, or start VM ${server.vmId} where it is off, then run pulumi up again; where its machine is lost: goBack.strategy rollback, without nodes`,
    );
  });

async function becomeOne({ settings, sshPrivateKey }: ProviderContext, waitMs: number): Promise<boolean> {
  const deadline = Date.now() + waitMs;
  for (;;) {
    const members = await lookAtMembers(settings.servers, sshPrivateKey).catch(() => undefined);
    if (members && areOne(members, settings.servers.length)) return true;
    if (Date.now() >= deadline) return false;
    await pause(2000);
  }
}

/**
 * Whether every server is in the same etcd with the same data. Less than is asked at the end of a way back: a full disk,
 * or a compaction a moment apart, is the gates' to refuse, and no reason to put old data back. Pure.
 */
export const areOne = (members: readonly MemberFacts[], servers: number): boolean =>
  members.length === servers &&
  holdTheSame(members) !== false &&
  members.every(
    ({ members: known }) => known.length === servers && !known.some((name) => name.endsWith("*")),
  );

/** Those of the nodes, by name, whose VMs were put back since an attempt was begun, or are being put back. */
export async function vmsPutBack(
  { settings, proxmoxTokenSecret }: ProviderContext,
  { beganAt }: Attempt,
  nodes: readonly ClusterNode[],
): Promise<ReadonlySet<string>> {
  return withProxmox(settings, proxmoxTokenSecret, async (client) => {
    const vmIds = nodes.map(({ vmId }) => vmId);
    const found = await rolledBack(client, vmIds, new Date(beganAt));
    return new Set(nodes.filter(({ vmId }) => found.has(vmId)).map(({ name }) => name));
  });
}
