import { setTimeout as pause } from "node:timers/promises";
import { z } from "zod";
import type { ProxmoxClient } from "./client";
import { ProxmoxError } from "./errors";

const POLL_MS = 500;

const taskStatus = z.object({ status: z.string(), exitstatus: z.string().optional() });
const taskLog = z.array(z.object({ n: z.number(), t: z.string() }));
const taskList = z.array(
  z.object({
    upid: z.string(),
    type: z.string(),
    user: z.string(),
    starttime: z.number(),
    status: z.string().optional(),
  }),
);

/** A task on a VM. */
export interface Task {
  readonly upid: string;
  /** qmsnapshot, qmdelsnapshot, vzdump … */
  readonly type: string;
  readonly user: string;
  readonly startedAt: Date;
  /** How it ended; absent while it runs. */
  readonly exitStatus?: string;
}

const pathOf = (upid: string) => `/nodes/${upid.split(":")[1]}/tasks/${encodeURIComponent(upid)}`;

/** Whether a task did what it was asked to. A warning is a success that has to be read. */
const succeeded = (exitStatus: string | undefined) =>
  exitStatus === "OK" || exitStatus?.startsWith("WARNINGS") === true;

/**
 * Waits for a task to end. The calls that start work answer at once and fail inside the task (facts: Proxmox).
 * @throws ProxmoxError with the task's own error text, or when the deadline passes (the task goes on)
 */
export async function waitForTask(client: ProxmoxClient, upid: string, deadline: Date): Promise<void> {
  for (;;) {
    const { status, exitstatus } = await client.get(`${pathOf(upid)}/status`, taskStatus);
    if (status === "stopped") {
      if (succeeded(exitstatus)) return;
      throw new ProxmoxError(200, exitstatus ?? "the task stopped without a word");
    }
    if (Date.now() > deadline.getTime()) {
      const next = "run pulumi up again: it waits for the task and goes on from what it leaves";
      throw new ProxmoxError(200, `task ${upid} still runs after the time given to it`, next);
    }
    await pause(POLL_MS);
  }
}

/** What a task has written so far. */
export async function readTaskLog(client: ProxmoxClient, upid: string): Promise<string[]> {
  return (await client.get(`${pathOf(upid)}/log?limit=500`, taskLog)).map((line) => line.t);
}

/**
 * A VM's tasks on a host, the newest first: those that run, or those that ended. Other people's are seen with
 * Sys.Audit alone.
 */
export async function listTasks(
  client: ProxmoxClient,
  host: string,
  vmId: number,
  source: "active" | "archive",
): Promise<Task[]> {
  const found = await client.get(`/nodes/${host}/tasks?vmid=${vmId}&source=${source}&limit=50`, taskList);
  return found.map(({ upid, type, user, starttime, status }) => ({
    ...{ upid, type, user, startedAt: new Date(starttime * 1000) },
    ...(source === "archive" && { exitStatus: status }),
  }));
}
