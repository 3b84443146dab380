/**
 * What comes before anything is made of what was kept: a record that was edited must not become the next one's source,
 * for the chain would answer for that.
 */
import { existsSync } from "node:fs";
import { mkdir, readFile } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { chainFaults, endWriting, latest, type RecordFile, readChain, writeRecords } from "./chain";
import { planNames } from "./directory";
import { fileFaults, isLeftover } from "./fileFaults";
import { grows, wholeLines } from "./grown";
import type { PlanRecord } from "./planSchema";
import { isOwn, listRuns, lives, type RunFiles, readRun } from "./runFiles";

/** What is read to make something of: all but the readable formats, which are made again each time. */
const SOURCE =
  /^((evidence|access|change|back|accept)\.json|(change|back|accept)\.plan\.json|run-.*|notifications\.jsonl)$/;

/**
 * Opens a change's folder for a command that writes into it: makes it where there is none, ends what a killed writer had
 * begun, and has what killed runs have left join the chain, as it lies.
 * @param replaced the direction whose change request is made anew, and so is no source
 * @throws where a source is not as it was written
 */
export async function takeIn(directory: string, replaced?: PlanRecord["direction"]): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o750 });
  await endWriting(directory);
  const chain = await readChain(directory);
  const { data, enforced } = replaced ? planNames(replaced) : { data: "", enforced: "" };
  const edited = (await fileFaults(directory, latest(chain))).filter(
    ({ file }) => SOURCE.test(file) && file !== data && file !== enforced,
  );
  const faults = [...chainFaults(chain), ...edited.map(({ file, what }) => `${file}: ${what}`)];
  if (faults.length > 0) {
    throw new Error(
      [
        "nothing was written: what it would be made from is not as it was written",
        ...faults.map((fault) => `  ${fault}`),
        `next: find out who did that; bring the files back from a copy (record.jsonl has the sha256 of each), until npm run change -- report --verify ${directory} is content; or begin with --out in an empty folder, with what Pulumi's state still holds`,
      ].join("\n"),
    );
  }
  const over: RunFiles[] = [];
  for (const run of await listRuns(directory))
    if (!(await isOwn(run)) && (await hasBegun(run)) && !(await lives(run))) over.push(run);
  const links = latest(chain);
  const left = (await Promise.all(over.map(leftovers)))
    .flat()
    .filter(({ file }) => isLeftover(file, links) || links.has(file));
  if (left.length > 0) await writeRecords(directory, left);
}

/** One that has no process yet is about to begin. */
const hasBegun = async (run: RunFiles): Promise<boolean> =>
  existsSync(run.pid) || (await readRun(run)).endedAt !== undefined;

/** What a run has written beside its record, to join the chain when it is over. */
export const leftovers = ({ number, log, events, watch }: RunFiles): Promise<RecordFile[]> =>
  Promise.all(
    [log, events, watch].filter(existsSync).map(async (path): Promise<RecordFile> => {
      const [file, content] = [basename(path), await readFile(path, "utf8")];
      const kept = (await grows(dirname(path), file)) ? wholeLines(content) : content;
      return { what: `run ${number}`, file, content: kept, stays: true };
    }),
  );
