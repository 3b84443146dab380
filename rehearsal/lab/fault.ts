import { existsSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { liveDirectory } from "../machines/paths";

/** Something that can be made to go wrong. */
export interface Fault {
  /** As it is typed, its placeholders in angle brackets. */
  readonly usage: string;
  readonly effect: string;
  /** Makes it go wrong, or right again. Doing so twice is the same as once. */
  set(on: boolean, ...words: string[]): Promise<void>;
  /** Which are on, as they would be typed. */
  active(): Promise<string[]>;
}

/** File whose presence switches a fault of the lab's own services on. */
export const faultFile = (name: string): string => join(liveDirectory, "faults", name);

/** Makes a file be there, or not. */
export async function present(file: string, on: boolean): Promise<void> {
  if (!on) return rm(file, { force: true });
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, "");
}

/** A fault of one of the lab's own services, which looks for the file at each request. */
export const serviceFault = (name: string, effect: string): Fault => ({
  usage: name,
  effect,
  set: (on) => present(faultFile(name), on),
  active: async () => (existsSync(faultFile(name)) ? [name] : []),
});

/** @throws with how the fault is typed where a word is missing */
export function required(word: string | undefined, usage: string): string {
  if (!word) throw new Error(`usage: fault ${usage} [on|off]`);
  return word;
}
