/** One writer at a time in a change's folder: two who each went on from the same line would break its chain. */
import { link, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { createWhole, partOf } from "./wholeFile";

/** It holds the number of the process that writes. */
export const LOCK_FILE = "record.lock";

/** Writing takes well below a second; who waits so long, milliseconds, waits for nobody. */
const PATIENCE_MS = 30_000;

/** Does something while nobody else writes. What a writer that was killed has left holds nobody up. */
export async function locked<T>(directory: string, action: () => Promise<T>): Promise<T> {
  const file = join(directory, LOCK_FILE);
  const deadline = Date.now() + PATIENCE_MS;
  while (!(await take(file))) {
    if (Date.now() > deadline)
      throw new Error(
        `${file}: another command has been writing for ${PATIENCE_MS / 1000} s. next: when no npm run change works on this folder, remove that file`,
      );
    await pause(20);
  }
  try {
    return await action();
  } finally {
    await rm(file, { force: true });
  }
}

async function take(file: string): Promise<boolean> {
  try {
    await createWhole(file, `${process.pid}\n`);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
  const holder = await readFile(file, "utf8").catch(() => "");
  if (holder && !isAlive(Number(holder))) await takeAway(file, holder);
  return false;
}

/** Takes a dead writer's lock away; one that somebody took meanwhile is put back. */
async function takeAway(file: string, dead: string): Promise<void> {
  const part = partOf(file);
  try {
    await rename(file, part);
    if ((await readFile(part, "utf8")) !== dead) await link(part, file);
  } catch (error) {
    if (!["ENOENT", "EEXIST"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
  } finally {
    await rm(part, { force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ESRCH";
  }
}
