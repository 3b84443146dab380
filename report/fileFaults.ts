/** Holds the files of a change's folder to its chain. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { digestOf } from "./canonical";
import { CHAIN_FILE, type Link } from "./chain";
import { grows, linesAfter } from "./grown";
import { LOCK_FILE } from "./lockFile";
import { wholeOf } from "./wholeFile";

/** A file that is not as it was written. */
export interface FileFault {
  readonly file: string;
  readonly what: string;
}

/** @param links the latest line of every file */
export async function fileFaults(directory: string, links: ReadonlyMap<string, Link>): Promise<FileFault[]> {
  const names = await readdir(directory);
  const faults: FileFault[] = [];
  for (const [file, { sha256 }] of links) {
    const content = await readFile(join(directory, file)).catch(() => undefined);
    const fault = (what: string) => faults.push({ file, what });
    if (content && (await isAsWritten(directory, file, content, sha256))) continue;
    if (await lies(directory, names, file, sha256))
      fault("its writing was cut short: npm run change -- report ends it");
    else fault(content ? "it was edited" : "it is gone");
  }
  for (const file of names) {
    if (!links.has(file) && file !== CHAIN_FILE && !isWorking(file) && !isLeftover(file, links))
      faults.push({ file, what: "it is not in the chain" });
  }
  return faults;
}

const isAsWritten = async (directory: string, file: string, content: Buffer, sha256: string) =>
  digestOf(content) === sha256 ||
  ((await grows(directory, file)) && linesAfter(content, sha256) !== undefined);

/** Whether what the chain answers for lies beside the file: its writer was killed before it was put in its place. */
async function lies(
  directory: string,
  names: readonly string[],
  file: string,
  sha256: string,
): Promise<boolean> {
  for (const part of names.filter((name) => wholeOf(name) === file))
    if (digestOf(await readFile(join(directory, part))) === sha256) return true;
  return false;
}

/**
 * What a run writes beside its record while it goes on: it joins the chain, all at once, when the run is over. Nothing is
 * one whose run the chain does not know, or has the rest of.
 */
export function isLeftover(file: string, links: ReadonlyMap<string, Link>): boolean {
  const run = /^(run-\d+)\.(log|(events|watch)\.jsonl)$/.exec(file)?.[1];
  return run !== undefined && links.has(`${run}.json`) && !links.has(`${run}.log`) && !links.has(file);
}

/** What proves nothing: what a run works with, what is sent and not yet kept, how far a runbook is, a part of a file of ours. */
const isWorking = (name: string): boolean =>
  name === LOCK_FILE ||
  /^(run-\d+\.(pid|status\.json)|notifications\.jsonl|runbook(-back-[a-z]+)?\.sh\.began|[a-z]+\.approval\.txt\.sig)$/.test(
    name,
  ) ||
  /^((change|back|accept|announcement|report|evidence|access|run-\d+|runbook(-back-[a-z]+)?)\.[a-z.]+|record\.(jsonl|lock))$/.test(
    wholeOf(name) ?? "",
  );
