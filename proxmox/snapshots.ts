import { z } from "zod";
import type { ProxmoxClient } from "./client";
import { ProxmoxError } from "./errors";
import { waitUnlocked } from "./locks";
import { listTasks, readTaskLog, waitForTask } from "./tasks";
import { isAgentOn, readConfig } from "./vmConfig";
import { findVm } from "./vms";

const snapshotList = z.array(
  z.object({
    name: z.string(),
    snaptime: z.number().optional(),
    description: z.string().optional(),
    snapstate: z.string().optional(),
  }),
);
const feature = z.object({
  hasFeature: z.union([z.boolean(), z.number(), z.string()]).transform((flag) => Number(flag) === 1),
});

/** A snapshot as Proxmox VE lists it. */
export interface Snapshot {
  readonly name: string;
  readonly takenAt: Date;
  readonly description: string;
  /** Absent for one that is whole; else it is being made or deleted, or that failed half-way. */
  readonly unfinished?: string;
}

/** A snapshot that is there now. */
export interface Taken {
  readonly snapshot: Snapshot;
  /** The task that made it; absent where its record is gone. */
  readonly upid?: string;
  /** Not proven to hold file systems that were frozen: as after a power cut. */
  readonly crashConsistent: boolean;
}

/** A VM's snapshots, without `current`, which stands for the VM itself. */
export async function listSnapshots(client: ProxmoxClient, host: string, vmId: number): Promise<Snapshot[]> {
  const found = await client.get(`/nodes/${host}/qemu/${vmId}/snapshot`, snapshotList);
  return found
    .filter(({ name }) => name !== "current")
    .map(({ name, snaptime = 0, description = "", snapstate }) => ({
      ...{ name, takenAt: new Date(snaptime * 1000), description },
      ...(snapstate && { unfinished: snapstate }),
    }));
}

/** Whether the VM's storage can take snapshots at all. */
export async function canSnapshot(client: ProxmoxClient, host: string, vmId: number): Promise<boolean> {
  return (await client.get(`/nodes/${host}/qemu/${vmId}/feature?feature=snapshot`, feature)).hasFeature;
}

/**
 * Sees to it that the VM has a snapshot of this name and description, and proves it listed. Waits for foreign locks,
 * and for a task of an earlier run that was killed meanwhile, whose snapshot it adopts. Without RAM: that would stall
 * the guest and bring stale processes back.
 * @param description its last line is our mark: a snapshot of this name without it is not ours, and is refused
 * @throws ProxmoxError with the lock's or the task's own words, and what to do
 */
export async function takeSnapshot(
  client: ProxmoxClient,
  vmId: number,
  name: string,
  description: string,
  deadline: Date,
): Promise<Taken> {
  const mark = description.trimEnd().split("\n").at(-1) ?? description;
  const { host } = await waitUnlocked(client, vmId, deadline);
  const path = `/nodes/${host}/qemu/${vmId}/snapshot`;
  const existing = (await listSnapshots(client, host, vmId)).find((one) => one.name === name);
  if (existing) return adopt(client, host, vmId, existing, mark);

  const upid = await client.post(path, { snapname: name, vmstate: "0", description });
  await explained(vmId, waitForTask(client, upid, deadline));
  const snapshot = (await listSnapshots(client, host, vmId)).find((one) => one.name === name);
  if (!snapshot || snapshot.unfinished) {
    const next = "read the task in Proxmox VE, then run pulumi up again";
    throw new ProxmoxError(200, `VM ${vmId}: task ${upid} ended well, but ${name} is not listed whole`, next);
  }
  return { snapshot, upid, crashConsistent: !(await wasFrozen(client, host, vmId, upid)) };
}

/** Takes a snapshot for ours that an earlier run made and was killed before it could say so. */
async function adopt(
  client: ProxmoxClient,
  host: string,
  vmId: number,
  snapshot: Snapshot,
  mark: string,
): Promise<Taken> {
  const { name, takenAt, unfinished, description } = snapshot;
  if (unfinished) {
    const next = `qm delsnapshot ${vmId} ${name} --force 1 on ${host}, then run pulumi up again`;
    throw new ProxmoxError(200, `VM ${vmId} has a snapshot ${name} left half-way (${unfinished})`, next);
  }
  if (!description.includes(mark)) {
    const next = `rename or delete it in Proxmox VE if you can spare it, then run pulumi up again`;
    throw new ProxmoxError(
      200,
      `VM ${vmId} has a snapshot ${name} that this change did not take: its description lacks "${mark}"`,
      next,
    );
  }
  const made = (await listTasks(client, host, vmId, "archive")).find(
    ({ type, startedAt, exitStatus }) => type === "qmsnapshot" && startedAt <= takenAt && exitStatus === "OK",
  );
  if (!made) return { snapshot, crashConsistent: true };
  return { snapshot, upid: made.upid, crashConsistent: !(await wasFrozen(client, host, vmId, made.upid)) };
}

/** A failed freeze only warns and the task ends OK, so its log has to be read. */
async function wasFrozen(client: ProxmoxClient, host: string, vmId: number, upid: string): Promise<boolean> {
  const { agent = "" } = await readConfig(client, { host, vmId });
  return tellsOfFreeze(String(agent), await readTaskLog(client, upid));
}

/**
 * Whether a snapshot's file systems were frozen.
 * @param agent the VM's option of that name: where it is off, older releases of Proxmox VE say nothing of it
 * @param log the task's, whose words differ between releases (PVE::QemuServer::Agent, before it PVE::QemuConfig)
 */
export function tellsOfFreeze(agent: string, log: readonly string[]): boolean {
  if (!isAgentOn({ agent })) return false;
  return !log.some((line) =>
    /skipping guest filesystem freeze|guest agent is not running|fs-?freeze.*(fail|error|unable)/i.test(line),
  );
}

/**
 * Deletes one snapshot by its exact name; one that is gone is done. Never with `force`.
 * @returns whether there was one
 * @throws ProxmoxError with the lock's or the task's own words, and what to do
 */
export async function deleteSnapshot(
  client: ProxmoxClient,
  vmId: number,
  name: string,
  deadline: Date,
): Promise<boolean> {
  const { host: listedOn } = await findVm(client, vmId);
  if (!(await isListed(client, listedOn, vmId, name))) return false;
  const { host } = await waitUnlocked(client, vmId, deadline);
  // What held the lock may have been an earlier run's own deletion.
  if (!(await isListed(client, host, vmId, name))) return true;
  const upid = await client.delete(`/nodes/${host}/qemu/${vmId}/snapshot/${name}`);
  await explained(vmId, waitForTask(client, upid, deadline));
  return true;
}

async function isListed(client: ProxmoxClient, host: string, vmId: number, name: string): Promise<boolean> {
  return (await listSnapshots(client, host, vmId)).some((one) => one.name === name);
}

/** Says of which VM a task's error is, and that the error may have left a lock. */
export async function explained(vmId: number, task: Promise<void>): Promise<void> {
  try {
    await task;
  } catch (error) {
    if (!(error instanceof ProxmoxError) || error.next) throw error;
    const next = `read the task in Proxmox VE; it may have left a lock: qm unlock ${vmId}; then run pulumi up again`;
    throw new ProxmoxError(error.status, `VM ${vmId}: ${error.said}`, next);
  }
}
