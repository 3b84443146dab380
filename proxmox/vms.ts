import { z } from "zod";
import type { ProxmoxClient } from "./client";
import { ProxmoxError } from "./errors";

const resources = z.array(
  z.object({
    vmid: z.number(),
    node: z.string(),
    name: z.string().optional(),
    status: z.string().optional(),
    lock: z.string().optional(),
    pool: z.string().optional(),
  }),
);

/** Where a VM is now. */
export interface VmPlace {
  readonly vmId: number;
  readonly host: string;
  readonly name: string;
  readonly running: boolean;
  /** The lock that work on it holds: backup, migrate, snapshot …; undefined where it is free. */
  readonly lock?: string;
  /** The pool that it is a member of. */
  readonly pool?: string;
}

/** Every VM that the token may see, live. The list is silently cut to what VM.Audit allows. */
export async function listVms(client: ProxmoxClient): Promise<VmPlace[]> {
  const found = await client.get("/cluster/resources?type=vm", resources);
  return found.map(({ vmid, node, name = "", status, lock, pool }) => ({
    vmId: vmid,
    host: node,
    name,
    running: status === "running",
    lock,
    pool,
  }));
}

/**
 * Finds one VM, wherever it was moved to.
 * @throws where it is not listed: a right that is missing looks the same as a VM that is
 */
export async function findVm(client: ProxmoxClient, vmId: number): Promise<VmPlace> {
  const place = (await listVms(client)).find((vm) => vm.vmId === vmId);
  if (!place) {
    throw new ProxmoxError(
      404,
      `VM ${vmId} is not listed: it does not exist, or the token may not see it`,
      `check nodes[].vmId; user and token need VM.Audit on /vms/${vmId} (docs/proxmox.md)`,
    );
  }
  return place;
}
