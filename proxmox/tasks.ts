import { setTimeout as pause } from "node:timers/promises";
import { z } from "zod";
import { type ProxmoxClient, ProxmoxError } from "./client";

const taskStatus = z.object({ status: z.string(), exitstatus: z.string().optional() });
const taskLog = z.array(z.object({ n: z.number(), t: z.string() }));

/** How a task ended: `OK`, or `WARNINGS: n`, which is a success that has to be read. */
export interface TaskEnd {
  readonly exitStatus: string;
  readonly log: readonly string[];
}

/**
 * Waits for a task to end. The calls that start work answer at once and fail inside the task (facts: Proxmox).
 * @throws with the task's own error text, or when the deadline passes (the task goes on)
 */
export async function waitForTask(client: ProxmoxClient, upid: string, deadline: Date): Promise<TaskEnd> {
  const path = `/nodes/${upid.split(":")[1]}/tasks/${encodeURIComponent(upid)}`;
  for (;;) {
    const { status, exitstatus } = await client.get(`${path}/status`, taskStatus);
    if (status === "stopped") {
      const log = (await client.get(`${path}/log?limit=500`, taskLog)).map((line) => line.t);
      if (exitstatus === "OK" || exitstatus?.startsWith("WARNINGS")) return { exitStatus: exitstatus, log };
      throw new ProxmoxError(500, exitstatus ?? "the task stopped without a word");
    }
    if (Date.now() > deadline.getTime()) {
      throw new ProxmoxError(504, `task ${upid} still runs after the time given to it; it goes on`);
    }
    await pause(500);
  }
}
