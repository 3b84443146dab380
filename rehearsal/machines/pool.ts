import { existsSync, statSync } from "node:fs";
import { mkdir, open, rm, statfs } from "node:fs/promises";
import { join } from "node:path";
import { poolDirectory, stateDirectory } from "./paths";
import { run, succeeds } from "./run";

const image = join(stateDirectory, "pool.img");

/** The file is sparse: this is what it may grow to, not what it takes. */
const imageBytes = 60 * 2 ** 30;

/** Seven machines, their snapshots and a few checkpoints have never taken more than this. */
const neededBytes = 6 * 2 ** 30;

/** Whether something is mounted at a path: its device differs from its parent's. */
export function isMounted(path: string): boolean {
  return existsSync(path) && statSync(path).dev !== statSync(join(path, "..")).dev;
}

/**
 * Makes and mounts the file system that holds the machines' disks: XFS with
 * reflinks in a loop-mounted file, so that a copy of a disk shares its blocks
 * and takes a second, whatever the host's own file system can do.
 * @throws Error when the host's disk has no room for it.
 */
export async function createPool(): Promise<void> {
  await mkdir(poolDirectory, { recursive: true });
  if (!existsSync(image)) {
    const { bavail, bsize } = await statfs(stateDirectory);
    if (bavail * bsize < neededBytes) {
      const free = Math.floor((bavail * bsize) / 2 ** 30);
      throw new Error(
        `${stateDirectory} has ${free} GiB free, the machines' disks need ${neededBytes / 2 ** 30}: free some, or set REHEARSAL_DIR to a larger disk`,
      );
    }
    const file = await open(image, "w");
    await file.truncate(imageBytes);
    await file.close();
    await run("mkfs.xfs", ["-q", "-m", "reflink=1", image]);
  }
  await mountPool();
}

/** Mounts the pool where it is not. */
export async function mountPool(): Promise<void> {
  if (!isMounted(poolDirectory)) await run("mount", ["-o", "loop,noatime", image, poolDirectory]);
}

/** Unmounts the pool and what is mounted below it, and ends its loop device. */
export async function unmountPool(): Promise<void> {
  const mounts = await run("findmnt", ["--list", "--noheadings", "--output", "TARGET"]);
  const below = mounts.split("\n").filter((target) => target.startsWith(`${poolDirectory}/`));
  for (const target of below.reverse()) await run("umount", ["--lazy", target]);
  if (isMounted(poolDirectory)) await run("umount", [poolDirectory]);
  // umount detaches the loop device it set up; one is left where it was busy or mount was killed half-way.
  const loops = await run("losetup", ["--noheadings", "--output", "NAME", "--associated", image]).catch(
    () => "",
  );
  for (const loop of loops.split("\n").filter(Boolean)) await succeeds("losetup", ["--detach", loop.trim()]);
}

/** Deletes the rehearsal's state: disks, checkpoints, logs. */
export async function deleteState(): Promise<void> {
  await unmountPool();
  await rm(stateDirectory, { recursive: true, force: true });
}

/**
 * Copies a tree within the pool, sharing its blocks: owners, times, hard
 * links, extended attributes and overlay's whiteouts included.
 */
export async function copyTree(from: string, to: string): Promise<void> {
  await rm(to, { recursive: true, force: true });
  await run("cp", ["--archive", "--reflink=always", "--no-target-directory", from, to]);
}
