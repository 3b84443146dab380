import { readFileSync } from "node:fs";
import { mkdir, readdir, readFile, rmdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { rehearsalName } from "./paths";
import { until } from "./poll";

/** Where the kernel's control groups of version 2 are mounted: /sys/fs/cgroup, or below it on a hybrid host. */
function mountPoint(): string {
  const line = readFileSync("/proc/mounts", "utf8")
    .split("\n")
    .find((mount) => mount.split(" ")[2] === "cgroup2");
  const path = line?.split(" ")[1];
  if (!path)
    throw new Error("no cgroup2 file system is mounted: mount one (mount -t cgroup2 none /sys/fs/cgroup)");
  return path;
}

/**
 * A folder of processes that are frozen and killed as one, whatever they fork.
 * The rehearsal's lies at the top, one for each machine and daemon below it.
 */
export class ControlGroup {
  readonly path: string;

  constructor(...names: string[]) {
    this.path = join(mountPoint(), rehearsalName, ...names);
  }

  async create(): Promise<void> {
    await mkdir(this.path, { recursive: true });
  }

  /** Whether any process is in it or below it. */
  async populated(): Promise<boolean> {
    const events = await this.read("cgroup.events");
    return events.includes("populated 1");
  }

  /** The processes in the group itself or in the given folder below it. */
  async processes(below = "."): Promise<number[]> {
    const pids = await this.read(join(below, "cgroup.procs"));
    return pids.split("\n").filter(Boolean).map(Number);
  }

  /** Stops all its processes in their tracks; returns once every one stands still. */
  async freeze(): Promise<void> {
    await writeFile(join(this.path, "cgroup.freeze"), "1");
    await until(`${this.path} to freeze`, 10, () => this.isFrozen(), 5);
  }

  async thaw(): Promise<void> {
    await writeFile(join(this.path, "cgroup.freeze"), "0");
  }

  async isFrozen(): Promise<boolean> {
    return (await this.read("cgroup.events")).includes("frozen 1");
  }

  /** SIGKILL to every process, frozen ones too; returns once all are gone. */
  async kill(): Promise<void> {
    if (!(await this.populated())) return;
    await writeFile(join(this.path, "cgroup.kill"), "1");
    await until(`the processes of ${this.path} to die`, 20, async () => !(await this.populated()), 20);
  }

  /** Kills what is left in it and removes it with all below. */
  async remove(): Promise<void> {
    await this.kill();
    await removeTree(this.path);
  }

  private async read(file: string): Promise<string> {
    return readFile(join(this.path, file), "utf8").catch(() => "");
  }
}

/** Removes a folder of control groups; `rm -r` cannot, their files are the kernel's. */
export async function removeTree(path: string): Promise<void> {
  const entries = await readdir(path, { withFileTypes: true }).catch(() => []);
  for (const entry of entries) if (entry.isDirectory()) await removeTree(join(path, entry.name));
  await rmdir(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT") throw error;
  });
}
