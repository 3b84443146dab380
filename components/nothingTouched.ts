import { lookAtNode } from "../observe";
import type { ProviderContext } from "./providerConfig";
import { isUntouched } from "./touched";

/** Whether no node was touched by the change, asked now. One that does not answer counts as touched. */
export async function nothingTouched(
  { settings, sshPrivateKey }: ProviderContext,
  { accepted, changeId }: { readonly accepted: string; readonly changeId: string },
): Promise<boolean> {
  const untouched = settings.nodes.map((node) =>
    lookAtNode(node, sshPrivateKey).then(
      (seen) => isUntouched(accepted, changeId, seen),
      () => false,
    ),
  );
  return (await Promise.all(untouched)).every(Boolean);
}
