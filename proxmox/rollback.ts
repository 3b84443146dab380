import { z } from "zod";
import type { ProxmoxClient } from "./client";
import { ProxmoxError } from "./errors";
import { waitUnlocked } from "./locks";
import { AT_REST, isOfChange } from "./mark";
import { explained, listSnapshots, type Snapshot } from "./snapshots";
import { listTasks, waitForTask } from "./tasks";
import { findVm, isRunning } from "./vms";

/** Which VM goes back, and to what. */
export interface Rollback {
  readonly vmId: number;
  /** The change's snapshot, or the newest of its renewals. */
  readonly name: string;
  /** In the snapshot's description: who took it. */
  readonly mark: string;
  /** A server must not start RKE2 by itself with old etcd data: only a snapshot taken at rest will do. */
  readonly atRest: boolean;
  /** A rollback that ended well since then is this one. */
  readonly since: Date;
}

/** The snapshot that a rollback goes to. @throws where there is none that will do */
export async function snapshotToGoTo(
  client: ProxmoxClient,
  { vmId, name, mark, atRest }: Omit<Rollback, "since">,
): Promise<Snapshot> {
  const { host } = await findVm(client, vmId);
  const ours = (await listSnapshots(client, host, vmId)).filter(
    (one) => isOfChange(one.name, name) && one.description.includes(mark) && !one.unfinished,
  );
  const newest = ours.sort((a, b) => a.takenAt.getTime() - b.takenAt.getTime()).at(-1);
  if (!newest) {
    throw new ProxmoxError(
      404,
      `VM ${vmId} has no snapshot ${name} of this change`,
      "go back by reinstall (an agent) or restore (the cluster), which need none",
    );
  }
  if (atRest && !newest.description.includes(AT_REST)) {
    throw new ProxmoxError(
      409,
      `VM ${vmId}'s snapshot ${newest.name} would start RKE2 with old etcd data by itself`,
      "it was taken by hand or by an older program: go back by restore, or roll back by hand with the link down",
    );
  }
  return newest;
}

const haResources = z.array(z.object({ vmid: z.number(), hastate: z.string().optional() }).loose());

/**
 * Puts a VM back to its snapshot and powers it on. Once: a rollback of an earlier run that was killed meanwhile is
 * waited for and counts.
 * @throws ProxmoxError with the lock's or the task's own words, and what to do
 */
export async function rollBack(client: ProxmoxClient, wish: Rollback, deadline: Date): Promise<Snapshot> {
  const { vmId, since } = wish;
  const snapshot = await snapshotToGoTo(client, wish);
  const { host } = await waitUnlocked(client, vmId, deadline);
  const done = (await listTasks(client, host, vmId, "archive")).some(
    ({ type, startedAt, exitStatus }) => type === "qmrollback" && startedAt >= since && exitStatus === "OK",
  );
  if (!done) {
    await refuseHighAvailability(client, vmId);
    const path = `/nodes/${host}/qemu/${vmId}/snapshot/${snapshot.name}/rollback`;
    await explained(vmId, waitForTask(client, await client.post(path, { start: "0" }), deadline));
  }
  const place = await waitUnlocked(client, vmId, deadline);
  if (!(await isRunning(client, place))) {
    const path = `/nodes/${place.host}/qemu/${vmId}/status/start`;
    await explained(vmId, waitForTask(client, await client.post(path, {}), deadline));
  }
  return snapshot;
}

/** The VMs that were rolled back since then, however that ended, or are being rolled back. */
export async function rolledBack(
  client: ProxmoxClient,
  vmIds: readonly number[],
  since: Date,
): Promise<ReadonlySet<number>> {
  const found = new Set<number>();
  // Tasks tell whole seconds.
  const from = Math.floor(since.getTime() / 1000) * 1000;
  for (const vmId of vmIds) {
    const { host } = await findVm(client, vmId);
    for (const source of ["archive", "active"] as const) {
      const tasks = await listTasks(client, host, vmId, source);
      if (tasks.some(({ type, startedAt }) => type === "qmrollback" && startedAt.getTime() >= from))
        found.add(vmId);
    }
  }
  return found;
}

/** A manager of high availability would start the machine by itself in the middle of it. @throws where one does */
export async function refuseHighAvailability(client: ProxmoxClient, vmId: number): Promise<void> {
  const found = await client.get("/cluster/resources?type=vm", haResources);
  const state = found.find(({ vmid }) => vmid === vmId)?.hastate;
  if (!state || state === "ignored") return;
  throw new ProxmoxError(
    409,
    `VM ${vmId} is managed for high availability (${state}), which would start it in the middle of its rollback`,
    `ha-manager set vm:${vmId} --state ignored on a host, then run pulumi up again; set it back after`,
  );
}
