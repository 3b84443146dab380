import { z } from "zod";
import type { ProxmoxClient } from "./client";

const space = z.object({ total: z.number(), avail: z.number() });

/** A storage's space on one host, bytes. */
export interface Space {
  readonly total: number;
  readonly available: number;
}

/** How much room a storage has on a host. Needs Datastore.Audit. */
export async function readSpace(client: ProxmoxClient, host: string, storage: string): Promise<Space> {
  const path = `/nodes/${host}/storage/${encodeURIComponent(storage)}/status`;
  const { total, avail } = await client.get(path, space);
  return { total, available: avail };
}
