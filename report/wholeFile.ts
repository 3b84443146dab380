/** Files that are whole at every instant: whoever is killed while writing one leaves the old one, or none. */
import { randomUUID } from "node:crypto";
import { link, rename, rm, writeFile } from "node:fs/promises";

/** What a file is called until it is whole: each writer has a part of its own. */
export const partOf = (file: string): string => `${file}.${randomUUID()}.part`;

/** The file that a part was to become; undefined where it is none. A kill may leave one. */
export const wholeOf = (name: string): string | undefined => /^(.+)\.[0-9a-f-]{36}\.part$/.exec(name)?.[1];

/** Only the change's owner and group read its records. */
const MODE = 0o640;

/** Writes what a file is to become, beside it. @returns the part */
export async function writePart(file: string, content: string): Promise<string> {
  const part = partOf(file);
  await writeFile(part, content, { mode: MODE });
  return part;
}

/** Writes a file, in the place of the one that is there. */
export async function writeWhole(file: string, content: string): Promise<void> {
  await rename(await writePart(file, content), file);
}

/** Writes a file that nobody has written yet. @throws EEXIST where somebody has: of two who come at once one wins */
export async function createWhole(file: string, content: string): Promise<void> {
  const part = await writePart(file, content);
  try {
    await link(part, file);
  } finally {
    await rm(part, { force: true });
  }
}
