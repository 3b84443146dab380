import { setTimeout as pause } from "node:timers/promises";
import { z } from "zod";
import { type ProxmoxClient, ProxmoxError } from "./client";
import { type TaskEnd, waitForTask } from "./tasks";
import { findVm } from "./vms";

const snapshotList = z.array(
  z.object({ name: z.string(), snaptime: z.number().optional(), description: z.string().optional() }),
);
const feature = z.object({
  hasFeature: z.union([z.boolean(), z.number(), z.string()]).transform((flag) => Number(flag) === 1),
});

/** A snapshot as Proxmox VE lists it. */
export interface Snapshot {
  readonly name: string;
  readonly takenAt: Date;
  readonly description: string;
}

/** A VM's snapshots, without `current`, which stands for the VM itself. */
export async function listSnapshots(client: ProxmoxClient, host: string, vmId: number): Promise<Snapshot[]> {
  const found = await client.get(`/nodes/${host}/qemu/${vmId}/snapshot`, snapshotList);
  return found
    .filter(({ name }) => name !== "current")
    .map(({ name, snaptime = 0, description = "" }) => ({
      name,
      takenAt: new Date(snaptime * 1000),
      description,
    }));
}

/** Whether the VM's storage can take snapshots at all. */
export async function canSnapshot(client: ProxmoxClient, host: string, vmId: number): Promise<boolean> {
  return (await client.get(`/nodes/${host}/qemu/${vmId}/feature?feature=snapshot`, feature)).hasFeature;
}

/**
 * Takes a snapshot, without RAM (it would stall the guest and resurrect stale processes), and proves it listed.
 * Waits for a foreign lock, a backup's say, until the deadline.
 * @throws with the lock or the task's own error, and what to do
 */
export async function takeSnapshot(
  client: ProxmoxClient,
  vmId: number,
  name: string,
  description: string,
  deadline: Date,
): Promise<{ snapshot: Snapshot; end: TaskEnd }> {
  const host = await waitUnlocked(client, vmId, deadline);
  const upid = await client.post(`/nodes/${host}/qemu/${vmId}/snapshot`, {
    snapname: name,
    vmstate: "0",
    description,
  });
  const end = await explained(vmId, () => waitForTask(client, upid, deadline));
  const snapshot = (await listSnapshots(client, host, vmId)).find((one) => one.name === name);
  if (!snapshot)
    throw new ProxmoxError(500, `VM ${vmId}: the task ended well, but snapshot ${name} is not listed`);
  return { snapshot, end };
}

/** Deletes one snapshot by its exact name; one that is gone is done. @returns whether there was one */
export async function deleteSnapshot(
  client: ProxmoxClient,
  vmId: number,
  name: string,
  deadline: Date,
): Promise<boolean> {
  const { host } = await findVm(client, vmId);
  if (!(await listSnapshots(client, host, vmId)).some((one) => one.name === name)) return false;
  await waitUnlocked(client, vmId, deadline);
  const upid = await client.delete(`/nodes/${host}/qemu/${vmId}/snapshot/${name}`);
  await explained(vmId, () => waitForTask(client, upid, deadline));
  return true;
}

/** @returns the host, once no work holds the VM */
async function waitUnlocked(client: ProxmoxClient, vmId: number, deadline: Date): Promise<string> {
  for (;;) {
    const { host, lock } = await findVm(client, vmId);
    if (!lock) return host;
    if (Date.now() > deadline.getTime()) {
      throw new ProxmoxError(
        423,
        `VM ${vmId} on ${host} is locked (${lock}). next: see in Proxmox what works on it; if nothing does any more: qm unlock ${vmId}; then run pulumi up again`,
      );
    }
    await pause(2000);
  }
}

async function explained<T>(vmId: number, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof ProxmoxError)) throw error;
    throw new ProxmoxError(
      error.status,
      `VM ${vmId}: ${error.message}. next: read the task in Proxmox; a failed one may leave a lock (qm unlock ${vmId}); then run pulumi up again`,
    );
  }
}
