/** Whose OS is patched, who is drained for that, and whether patches alone are the change. Pure. */
import type { ClusterNode, Settings } from "./settings";

/** Whether the node's OS is patched in its turn. */
export const isPatched = (
  { osPatch }: Pick<Settings, "osPatch">,
  { role }: Pick<ClusterNode, "role">,
): boolean => osPatch.packages !== "none" && (role === "agent" || osPatch.servers);

/** Versions and rounds of a change, as far as they say whether one is under way. */
type Asked = Pick<Settings, "rke2Version" | "acceptedVersion"> & {
  readonly osPatch: Pick<Settings["osPatch"], "round" | "acceptedRound">;
};

/** Whether OS patches alone are under way: a round that is not accepted yet, with no version bump. */
export const isRound = ({ rke2Version, acceptedVersion, osPatch }: Asked): boolean =>
  rke2Version === acceptedVersion && osPatch.round !== undefined && osPatch.round !== osPatch.acceptedRound;

/** Whether the stack asks for a change that is not accepted yet: a version bump, or a round of OS patches. */
export const isChanging = (asked: Asked): boolean =>
  asked.rke2Version !== asked.acceptedVersion || isRound(asked);

/** What ends a round of OS patches without its acceptance: before it has touched a node, or after the way back of all. */
export const giveUpRound = ({ acceptedRound }: Pick<Settings["osPatch"], "acceptedRound">): string =>
  acceptedRound
    ? `pulumi config set --path 'rke2-upgrade:osPatch.round' ${acceptedRound}`
    : "pulumi config rm --path 'rke2-upgrade:osPatch.round'";

/** Whether the node has a turn in the change under way: in a round of OS patches who is not patched has none. */
export const hasTurn = (settings: Settings, node: ClusterNode): boolean =>
  !isRound(settings) || isPatched(settings, node);

/** Every node whose OS is patched, in the order of the turns. */
export const patchedNodes = (settings: Settings): ClusterNode[] =>
  [...settings.servers, ...settings.agents].filter((node) => isPatched(settings, node));

/** Whether the node's turn drains it: agents always, servers where they are patched. */
export const isDrained = (settings: Settings, node: ClusterNode): boolean =>
  node.role === "agent" || isPatched(settings, node);
