import type { Settings } from "../config";
import { ProxmoxClient } from "./client";

/** Has `use` ask the stack's Proxmox VE, and always closes. */
export async function withProxmox<T>(
  settings: Settings,
  tokenSecret: string,
  use: (client: ProxmoxClient) => Promise<T>,
): Promise<T> {
  const client = new ProxmoxClient({ ...settings.proxmox, tokenSecret });
  try {
    return await use(client);
  } finally {
    await client.close();
  }
}
