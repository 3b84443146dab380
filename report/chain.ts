/**
 * The chain of records: a line a file that was written, each with the hash of the line before, so that no file and no
 * line can be changed, dropped or put in between without it showing. Who can rewrite all of it can make a new chain:
 * so its head belongs where they cannot reach, into the ticket.
 */
import { readdir, readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { canonical, digestOf } from "./canonical";
import { locked } from "./lockFile";
import { sha256 } from "./planSchema";
import { wholeOf, writePart, writeWhole } from "./wholeFile";

/** The chain's own file in a change's folder. */
export const CHAIN_FILE = "record.jsonl";

/** What the first line has as its predecessor. */
const BEGINNING = "0".repeat(64);

const linkSchema = z.strictObject({
  sequence: z.number().int().positive(),
  /** What the file is, for people. */
  what: z.string(),
  /** Its name in the folder. */
  file: z.string(),
  sha256,
  previous: sha256,
  /** Over all the others. */
  hash: sha256,
});
export type Link = z.infer<typeof linkSchema>;

/** The next line for a file. */
export function link(chain: readonly Link[], what: string, file: string, content: string | Buffer): Link {
  const last = chain.at(-1);
  const body = {
    sequence: (last?.sequence ?? 0) + 1,
    what,
    file,
    sha256: digestOf(content),
    previous: last?.hash ?? BEGINNING,
  };
  return { ...body, hash: digestOf(canonical(body)) };
}

/** Everything that is wrong with a chain's own lines. */
export function chainFaults(chain: readonly Link[]): string[] {
  return chain.flatMap((line, i) => {
    const { hash, ...body } = line;
    const before = chain[i - 1]?.hash ?? BEGINNING;
    return [
      ...(digestOf(canonical(body)) === hash
        ? []
        : [`${CHAIN_FILE} line ${i + 1} (${line.file}): it was edited`]),
      ...(body.previous === before
        ? []
        : [`${CHAIN_FILE} line ${i + 1} (${line.file}): it does not follow the line before`]),
      ...(body.sequence === i + 1 ? [] : [`${CHAIN_FILE} line ${i + 1}: its number is ${body.sequence}`]),
    ];
  });
}

/** The latest line of every file: a file that is written again is answered for by its last line. */
export const latest = (chain: readonly Link[]): Map<string, Link> =>
  new Map(chain.map((line) => [line.file, line]));

/** The chain of a folder; empty where there is none yet. @throws where a line cannot be read */
export async function readChain(directory: string): Promise<Link[]> {
  const text = await readFile(join(directory, CHAIN_FILE), "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return "";
    throw error;
  });
  return text
    .split("\n")
    .filter(Boolean)
    .map((line, i) => {
      try {
        return linkSchema.parse(JSON.parse(line));
      } catch {
        throw new Error(
          `${CHAIN_FILE} line ${i + 1} cannot be read: it was edited or cut short\nnext: bring it back from a copy, its last hash is the head that was noted; or begin with --out in an empty folder: plan, and have it approved anew`,
        );
      }
    });
}

/** What every command that writes a line says at its end. */
export const headLine = (head: string): string =>
  `head of the chain: ${head}   (keep it in the ticket: report --verify --head proves the records by it)`;

/** A file that is to be written. */
export interface RecordFile {
  /** What it is, for people. */
  readonly what: string;
  /** Its name in the folder. */
  readonly file: string;
  readonly content: string;
  /** It is there already, and may be appended to meanwhile: only the chain's line is written. */
  readonly stays?: true;
  /** Nobody has written it before: where somebody has, this fails with EEXIST. */
  readonly fresh?: true;
}

/**
 * Writes files into a folder and a line for each that is new or changed. Killed at any instant it has written all of them
 * or none: the chain, which is one file, decides, and whoever comes next ends the work.
 * @returns the chain's head
 */
export const writeRecords = (directory: string, files: readonly RecordFile[]): Promise<string> =>
  locked(directory, async () => {
    const chain = await readChain(directory);
    const faults = chainFaults(chain);
    if (faults.length > 0)
      throw new Error(`${faults.join("\n")}\nnext: npm run change -- report --verify ${directory}`);
    await putInPlace(directory, chain);
    const parts: [string, string][] = [];
    for (const { what, file, content, stays, fresh } of files) {
      const known = latest(chain).get(file);
      if (fresh && known) throw Object.assign(new Error(`${file} is there already`), { code: "EEXIST" });
      if (!stays) {
        const whole = join(directory, file);
        parts.push([await writePart(whole, content), whole]);
      }
      if (known?.sha256 !== digestOf(content)) chain.push(link(chain, what, file, content));
    }
    await writeWhole(join(directory, CHAIN_FILE), chain.map((line) => `${JSON.stringify(line)}\n`).join(""));
    for (const [part, whole] of parts) await rename(part, whole);
    return chain.at(-1)?.hash ?? BEGINNING;
  });

/** Ends what a writer that was killed had begun. */
export const endWriting = (directory: string): Promise<void> =>
  locked(directory, async () => putInPlace(directory, await readChain(directory)));

/** Parts that the chain already answers for take their files' place. */
async function putInPlace(directory: string, chain: readonly Link[]): Promise<void> {
  const links = latest(chain);
  for (const name of await readdir(directory)) {
    const file = wholeOf(name);
    const sha256 = file && links.get(file)?.sha256;
    if (!file || !sha256) continue;
    const [part, whole] = [join(directory, name), join(directory, file)];
    if (digestOf(await readFile(part)) === sha256) await rename(part, whole);
  }
}
