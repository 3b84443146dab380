/** Whose OS is patched, and who is drained for that. Pure. */
import type { ClusterNode, Settings } from "./settings";

/** Whether the node's OS is patched in its turn. */
export const isPatched = (
  { osPatch }: Pick<Settings, "osPatch">,
  { role }: Pick<ClusterNode, "role">,
): boolean => osPatch.packages !== "none" && (role === "agent" || osPatch.servers);

/** Every node whose OS is patched, in the order of the turns. */
export const patchedNodes = (settings: Settings): ClusterNode[] =>
  [...settings.servers, ...settings.agents].filter((node) => isPatched(settings, node));

/** Whether the node's turn drains it: agents always, servers where they are patched. */
export const isDrained = (settings: Settings, node: ClusterNode): boolean =>
  node.role === "agent" || isPatched(settings, node);
