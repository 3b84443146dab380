import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { mountsDirectory } from "./paths";
import { copyTree, isMounted } from "./pool";
import { machineDirectory } from "./record";
import { run } from "./run";

/**
 * A machine's disk: a writable layer over the shared base root. Copying the
 * layer is a snapshot, putting a copy in its place is a rollback.
 */
export class Disk {
  /** The writable layer: all that differs from the base root. */
  readonly layer: string;
  private readonly snapshots: string;
  private readonly work: string;
  /** The disk's content while it is mounted. */
  readonly mountPoint: string;

  constructor(
    machine: string,
    private readonly root: string,
  ) {
    this.layer = join(machineDirectory(machine), "disk");
    this.snapshots = join(machineDirectory(machine), "snapshots");
    this.work = join(mountsDirectory, machine, "work");
    this.mountPoint = join(mountsDirectory, machine, "root");
  }

  /** Mounts it, anew if a killed machine left it mounted. */
  async mount(): Promise<void> {
    await this.unmount();
    // Left-overs of work are of no use, and a volatile mount refuses a work folder that was one before.
    await rm(this.work, { recursive: true, force: true });
    for (const folder of [this.layer, this.work, this.mountPoint]) await mkdir(folder, { recursive: true });
    // volatile: the guests' fsyncs, etcd's above all, need not reach the host's disk.
    const layers = `lowerdir=${this.root},upperdir=${this.layer},workdir=${this.work}`;
    await run("mount", ["-t", "overlay", "-o", `${layers},volatile,index=off`, "overlay", this.mountPoint]);
  }

  async unmount(): Promise<void> {
    if (isMounted(this.mountPoint)) await run("umount", [this.mountPoint]);
  }

  /** Keeps the disk's present content; the machine stands still or is off. */
  async snapshot(name: string): Promise<void> {
    await mkdir(this.snapshots, { recursive: true });
    await copyTree(this.layer, join(this.snapshots, name));
  }

  /** Puts a snapshot's content back; the machine is off. The snapshot stays. */
  async rollback(name: string): Promise<void> {
    await this.unmount();
    await copyTree(join(this.snapshots, name), this.layer);
  }

  async removeSnapshot(name: string): Promise<void> {
    await rm(join(this.snapshots, name), { recursive: true, force: true });
  }

  /** Names of the snapshots there are, in no order. */
  async listSnapshots(): Promise<string[]> {
    return readdir(this.snapshots).catch(() => []);
  }

  /** Becomes a copy of another disk, or of one of that one's snapshots. */
  async copyFrom(origin: Disk, snapshot?: string): Promise<void> {
    await copyTree(snapshot === undefined ? origin.layer : join(origin.snapshots, snapshot), this.layer);
  }
}
