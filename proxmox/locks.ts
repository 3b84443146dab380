import { setTimeout as pause } from "node:timers/promises";
import type { ProxmoxClient } from "./client";
import { ProxmoxError } from "./errors";
import { listTasks, type Task } from "./tasks";
import { findVm, type VmPlace } from "./vms";

const POLL_MS = 1000;

/** Locks whose task bears the VM's ID: where none runs, the task has failed and left its lock behind. */
const LEFT_BY_FAILURE = new Set(["snapshot", "snapshot-delete", "rollback"]);

/** A lock without a task must be seen this often in a row: a task and its lock do not begin and end at once. */
const STALE_AFTER_LOOKS = 3;

/**
 * Waits until no work holds the VM, a backup's say.
 * @returns where the VM is then
 * @throws ProxmoxError at the deadline, with the lock and who holds it; at once where a failed task left it behind
 */
export async function waitUnlocked(client: ProxmoxClient, vmId: number, deadline: Date): Promise<VmPlace> {
  let looksWithoutTask = 0;
  for (;;) {
    const place = await findVm(client, vmId);
    const { host, lock } = place;
    if (!lock) return place;
    const active = await listTasks(client, host, vmId, "active");
    looksWithoutTask = active.length === 0 ? looksWithoutTask + 1 : 0;
    if (LEFT_BY_FAILURE.has(lock) && looksWithoutTask >= STALE_AFTER_LOOKS) {
      throw new ProxmoxError(200, `${lockedBy(place, active)}, left by a task that failed`, unlock(place));
    }
    if (Date.now() > deadline.getTime()) {
      throw new ProxmoxError(200, lockedBy(place, active), unlock(place));
    }
    await pause(POLL_MS);
  }
}

function lockedBy({ vmId, host, lock }: VmPlace, active: readonly Task[]): string {
  const tasks = active.map(
    ({ type, user, startedAt }) => `${type} of ${user} since ${startedAt.toISOString()}`,
  );
  return `VM ${vmId} on ${host} is locked (${lock}), ${tasks.join(" and ") || "no task of its own is seen at work"}`;
}

function unlock({ vmId, host }: VmPlace): string {
  return `see on ${host} what works on the VM and let it end; if nothing does: qm unlock ${vmId} there; then run pulumi up again`;
}
