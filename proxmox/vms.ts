import { z } from "zod";
import type { ProxmoxClient } from "./client";
import { ProxmoxError } from "./errors";

const resources = z.array(
  z.object({
    vmid: z.number(),
    node: z.string(),
    name: z.string().optional(),
    lock: z.string().optional(),
    pool: z.string().optional(),
  }),
);

/** Where a VM is now. */
export interface VmPlace {
  readonly vmId: number;
  readonly host: string;
  /** Empty where Proxmox VE has not looked at it yet. */
  readonly name: string;
  /** The lock that work on it holds: backup, migrate, snapshot …; undefined where it is free. */
  readonly lock?: string;
  /** The pool that it is a member of. */
  readonly pool?: string;
}

/**
 * Every VM that the token may see. The list is silently cut to what VM.Audit allows. Host and lock are as they are now; what
 * it says of the machine itself is as pvestatd saw it, up to ten seconds ago, so that is not taken from it.
 */
export async function listVms(client: ProxmoxClient): Promise<VmPlace[]> {
  const found = await client.get("/cluster/resources?type=vm", resources);
  return found.map(({ vmid, node, name = "", lock, pool }) => ({ vmId: vmid, host: node, name, lock, pool }));
}

/** Whether a VM's machine runs, asked of its host. Needs VM.Audit. */
export async function isRunning(
  client: ProxmoxClient,
  { host, vmId }: Pick<VmPlace, "host" | "vmId">,
): Promise<boolean> {
  const { status } = await client.get(
    `/nodes/${host}/qemu/${vmId}/status/current`,
    z.object({ status: z.string() }),
  );
  return status === "running";
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
