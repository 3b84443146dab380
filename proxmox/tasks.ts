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

/** The most that is asked for of one host: a month of a busy one. */
const HOST_TASKS = 1000;

const hostTasks = z.array(
  z.object({
    upid: z.string(),
    type: z.string(),
    id: z.string().default(""),
    starttime: z.number(),
    endtime: z.number().optional(),
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
 * Waits for a task to end. The calls that start work answer at once and fail inside the task.
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

/** A task of a host, on a VM or not. */
export interface HostTask {
  readonly upid: string;
  readonly type: string;
  /** The VM's ID, or what else it is about; empty where that is the host. */
  readonly id: string;
  /** Who began it: user@realm, or user@realm!token. */
  readonly user: string;
  readonly startedAt: Date;
  readonly endedAt?: Date;
  readonly exitStatus?: string;
}

/**
 * A host's tasks that began in a span of time, running and ended ones, the newest first. Other people's are seen with
 * Sys.Audit alone.
 * @throws where there are more than can be asked for
 */
export async function listHostTasks(
  client: ProxmoxClient,
  host: string,
  from: Date,
  until: Date,
): Promise<HostTask[]> {
  const [since, before] = [from, until].map((at) => Math.floor(at.getTime() / 1000));
  const query = `since=${since}&until=${before}&source=all&limit=${HOST_TASKS}`;
  const found = await client.get(`/nodes/${host}/tasks?${query}`, hostTasks);
  if (found.length >= HOST_TASKS)
    throw new ProxmoxError(200, `${host} has over ${HOST_TASKS} tasks since ${from.toISOString()}`);
  return found.map(({ upid, type, id, starttime, endtime, status }) => ({
    ...{ upid, type, id, startedAt: new Date(starttime * 1000), exitStatus: status },
    // The list tells the token apart from its user; the task's own ID has both.
    user: upid.split(":").at(-2) ?? "",
    ...(endtime !== undefined && { endedAt: new Date(endtime * 1000) }),
  }));
}
