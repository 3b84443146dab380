import type { ClusterNode } from "../config";
import type { ProviderContext } from "./providerConfig";
import { runStep } from "./runStep";
import { checkHealth, leaderAway, releaseHold } from "./turns";

/**
 * Takes a server's snapshot outside of the chain that takes the first: etcd's leadership elsewhere, RKE2 held for the
 * machine that goes back to it, and the cluster asked after.
 * @returns what `take` gives
 */
export async function takeAtRest<T>(
  context: ProviderContext,
  owner: string,
  server: ClusterNode,
  take: () => Promise<T>,
): Promise<T> {
  const { settings } = context;
  await runStep(context, owner, leaderAway(settings, server));
  const taken = await take();
  await runStep(context, owner, releaseHold(settings, server));
  await runStep(context, owner, checkHealth(settings, server));
  return taken;
}
