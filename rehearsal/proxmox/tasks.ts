import { readdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { PveError } from "./errors";
import type { Faults } from "./faults";
import { readJson, writeJson } from "./files";

/** A task as its file keeps it. Times in seconds since 1970. */
export interface Task {
  readonly upid: string;
  readonly node: string;
  readonly pid: number;
  readonly pstart: number;
  readonly starttime: number;
  readonly type: string;
  readonly id: string;
  /** The user or the token that started it. */
  readonly user: string;
  endtime?: number;
  exitstatus?: string;
  readonly log: string[];
}

/** Writes a line to the task's log. */
export type Log = (line: string) => void;

/**
 * The cluster's tasks, a file each. A real host forks a worker process for each; here it is a promise in this
 * process, so that a task still open in its file and unknown to this process is one that its process's end cut off.
 */
export class Tasks {
  private readonly directory: string;
  private readonly running = new Map<string, Promise<void>>();
  private pid = 100_000 + (Math.floor(Date.now() / 1000) % 100_000);

  constructor(
    directory: string,
    private readonly faults: Faults,
    private readonly seconds: number,
  ) {
    this.directory = join(directory, "tasks");
  }

  /** Lets the time pass that work takes on a real host. Awaited where the work holds its lock, for others to meet it. */
  async takeTime(): Promise<void> {
    await pause((this.faults.taskSeconds() ?? this.seconds) * 1000);
  }

  /**
   * Starts work on a host and answers at once. Whatever the work throws becomes the task's exit status.
   * @returns the task's UPID
   */
  start(node: string, type: string, id: string, user: string, work: (log: Log) => Promise<void>): string {
    const pid = ++this.pid;
    const pstart = Math.floor(process.uptime() * 100) + pid;
    const starttime = Math.floor(Date.now() / 1000);
    const hex = [pid, pstart, starttime].map((n) => n.toString(16).toUpperCase().padStart(8, "0")).join(":");
    const task: Task = {
      upid: `UPID:${node}:${hex}:${type}:${id}:${user}:`,
      ...{ node, pid, pstart, starttime, type, id, user, log: [] },
    };
    this.save(task);
    const done = this.work(task, work).finally(() => this.running.delete(task.upid));
    this.running.set(task.upid, done);
    return task.upid;
  }

  private async work(task: Task, work: (log: Log) => Promise<void>): Promise<void> {
    const log: Log = (line) => {
      task.log.push(line);
      this.save(task);
    };
    try {
      await work(log);
      task.exitstatus = "OK";
      task.log.push("TASK OK");
    } catch (error) {
      task.exitstatus = error instanceof Error ? error.message : String(error);
      task.log.push(`TASK ERROR: ${task.exitstatus}`);
    }
    task.endtime = Math.floor(Date.now() / 1000);
    this.save(task);
  }

  /** Ends what an earlier process left open. What it had locked stays locked, as after a host's crash. */
  closeInterrupted(): void {
    for (const task of this.list()) {
      if (!task.exitstatus && !this.running.has(task.upid)) {
        this.save({ ...task, endtime: Math.floor(Date.now() / 1000), exitstatus: "unexpected status" });
      }
    }
  }

  /** Waits for all that runs. */
  async settled(): Promise<void> {
    await Promise.all(this.running.values());
  }

  /** @throws PveError for a text that is no UPID, and for a task that was never started */
  get(upid: string): Task {
    if (!/^UPID:[\w.-]+:[0-9A-F]{8}:[0-9A-F]{8,9}:[0-9A-F]{8}:[^:/\s]+:[^:/\s]*:[^:/\s]+:$/.test(upid)) {
      throw new PveError("Parameter verification failed.", 400, { upid: "unable to parse worker upid" });
    }
    const task = readJson<Task>(this.file(upid));
    if (!task) throw new PveError("Parameter verification failed.", 400, { upid: "no such task" });
    return task;
  }

  /** All tasks, the newest first. */
  list(): Task[] {
    let names: string[];
    try {
      names = readdirSync(this.directory).filter((name) => name.endsWith(".json"));
    } catch {
      return [];
    }
    return names
      .flatMap((name) => readJson<Task>(join(this.directory, name)) ?? [])
      .sort((a, b) => b.starttime - a.starttime || b.pid - a.pid);
  }

  private save(task: Task): void {
    writeJson(this.file(task.upid), task);
  }

  private file(upid: string): string {
    return join(this.directory, `${upid}.json`);
  }
}
