import { z } from "zod";
import type { ProxmoxClient } from "./client";
import { missingPrivileges } from "./permissions";

const storages = z.array(z.object({ storage: z.string() }));
const content = z.array(z.object({ ctime: z.number() }));
const time = z.object({ timezone: z.string() });

/** What may be seen of a VM's backups. */
export interface LastBackup {
  /** When the newest was made; undefined where none is listed. */
  readonly at?: Date;
  /** Why "none" says nothing: rights that are lacking, or a host that does not answer. */
  readonly unseen?: string;
}

/**
 * A VM's newest backup on any storage of its host. Proxmox VE shows a backup only to who has Datastore.AllocateSpace
 * on its storage and VM.Backup on the VM (PVE::Storage::check_volume_access): "none" without these says nothing.
 */
export async function lastBackup(client: ProxmoxClient, host: string, vmId: number): Promise<LastBackup> {
  const found = await client.get(`/nodes/${host}/storage?content=backup`, storages);
  const missing = await missingPrivileges(client, [
    { path: `/vms/${vmId}`, privileges: ["VM.Backup"] },
    ...found.map(({ storage }) => ({ path: `/storage/${storage}`, privileges: ["Datastore.AllocateSpace"] })),
  ]);
  const lists = await Promise.all(
    found.map(({ storage }) =>
      client.get(
        `/nodes/${host}/storage/${encodeURIComponent(storage)}/content?content=backup&vmid=${vmId}`,
        content,
      ),
    ),
  );
  const newest = Math.max(0, ...lists.flat().map(({ ctime }) => ctime));
  const lacking = missing.flatMap(({ path, privileges }) => privileges.map((one) => `${one} on ${path}`));
  return {
    at: newest > 0 ? new Date(newest * 1000) : undefined,
    unseen: lacking.length > 0 ? `the token lacks ${lacking.join(", ")}` : undefined,
  };
}

/** The time zone of a host's wall clock, by which its backup jobs run. Needs Sys.Audit. */
export const timeZoneOf = async (client: ProxmoxClient, host: string): Promise<string> =>
  (await client.get(`/nodes/${host}/time`, time)).timezone;
