import { mkdir, rename, writeFile } from "node:fs/promises";
import { dirname } from "node:path";

/** Keeps a value in a file for this user alone, in the place of what is there; killed in between, the old one stays whole. */
export async function keepJson(file: string, value: unknown): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  await writeFile(`${file}.part`, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600, flush: true });
  await rename(`${file}.part`, file);
}
