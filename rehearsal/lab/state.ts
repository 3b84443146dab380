import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { liveDirectory, runDirectory } from "../machines/paths";
import type { Builds } from "./builds";
import type { Stack } from "./stack";

/** What a rehearsal is made of; written when it starts, part of every checkpoint. */
export interface LabState {
  /** The stack file it was made from. */
  readonly stackFile: string;
  readonly stack: Stack;
  /** The RKE2 version that it started on. */
  readonly baseline: string;
  readonly builds: Builds;
  /** SSH host keys by node name, in authorized_keys form. */
  readonly hostKeys: Readonly<Record<string, readonly string[]>>;
}

const stateFile = join(liveDirectory, "lab.json");
const readyFile = join(runDirectory, "ready");

/** Writes down what the rehearsal is made of. */
export async function writeState(state: LabState): Promise<void> {
  await mkdir(liveDirectory, { recursive: true });
  await writeFile(stateFile, `${JSON.stringify(state, null, 2)}\n`);
}

/** @throws Error that says how to start one when no rehearsal is there. */
export async function readState(): Promise<LabState> {
  if (!existsSync(stateFile))
    throw new Error("no rehearsal runs here: start one with `npm run rehearsal -- up`");
  return JSON.parse(await readFile(stateFile, "utf8")) as LabState;
}

/** Marks the rehearsal as whole: `up` came to its end, or `restore` did. */
export async function markReady(): Promise<void> {
  await mkdir(runDirectory, { recursive: true });
  await writeFile(readyFile, `${new Date().toISOString()}\n`);
}

/** Whether `up` once came to its end; a rehearsal that was interrupted before is of no use. */
export function isReady(): boolean {
  return existsSync(readyFile) && existsSync(stateFile);
}
