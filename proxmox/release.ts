import { type Settings, SNAPSHOT_PREFIX } from "../config";
import { withProxmox } from "./connect";
import { isOwn } from "./mark";
import { deleteSnapshot, listSnapshots } from "./snapshots";
import { findVm } from "./vms";

/**
 * Deletes a change's snapshots on every VM of the stack: those of this name (and its renewals, `name-2` …) that bear
 * our mark. One that is gone is done; any other is left alone.
 * @returns what was deleted, as `vmId/name`
 * @throws where a name is not ours to delete, or with Proxmox's own reason
 */
export async function releaseSnapshots(
  settings: Settings,
  tokenSecret: string,
  name: string,
  acceptedVersion: string,
): Promise<string[]> {
  if (!name.startsWith(SNAPSHOT_PREFIX))
    throw new Error(`${name} does not begin with ${SNAPSHOT_PREFIX}: not ours to delete`);
  const released: string[] = [];
  return withProxmox(settings, tokenSecret, async (client) => {
    for (const { vmId } of settings.nodes) {
      const { host } = await findVm(client, vmId);
      for (const found of await listSnapshots(client, host, vmId)) {
        const ours = isOwn(found, name, acceptedVersion);
        const deadline = new Date(Date.now() + settings.limits.snapshotSeconds * 1000);
        if (ours && (await deleteSnapshot(client, vmId, found.name, deadline)))
          released.push(`${vmId}/${found.name}`);
      }
    }
    return released;
  });
}
