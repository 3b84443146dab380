import { z } from "zod";
import type { ProxmoxClient } from "./client";

const tree = z.record(z.string(), z.record(z.string(), z.unknown()));

/** What is needed on one path of Proxmox VE's access control: `/`, `/vms/3001`, `/storage/nvmethin01`. */
export interface Need {
  readonly path: string;
  readonly privileges: readonly string[];
}

/**
 * Which of the privileges the token lacks, where; rights of a token with privilege separation are those that its user
 * has as well. Any token may ask about itself.
 */
export async function missingPrivileges(client: ProxmoxClient, needs: readonly Need[]): Promise<Need[]> {
  const missing = await Promise.all(
    needs.map(async ({ path, privileges }) => {
      const held = await client.get(`/access/permissions?path=${encodeURIComponent(path)}`, tree);
      return { path, privileges: privileges.filter((privilege) => !(privilege in (held[path] ?? {}))) };
    }),
  );
  return missing.filter(({ privileges }) => privileges.length > 0);
}
