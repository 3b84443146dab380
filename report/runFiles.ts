/** A run that `change apply` began, as files in the change's folder: its record, its log, its process. */
import { readdir, readFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { asFile } from "./canonical";
import { type RecordFile, writeRecords } from "./chain";
import { type Run, runSchema } from "./evidenceSchema";
import { writeWhole } from "./wholeFile";

/** The files of one run. */
export interface RunFiles {
  readonly number: number;
  readonly record: string;
  readonly log: string;
  readonly pid: string;
  /** What it told of itself, a RunEvent a line. */
  readonly events: string;
  /** What the watch saw (live/series.ts). */
  readonly watch: string;
  /** How it stands while it goes on (live/status.ts). */
  readonly status: string;
  /** Pulumi's plan of what was left of the approved one, where a run before had begun it. */
  readonly plan: string;
}

const filesOf = (directory: string, number: number): RunFiles => ({
  number,
  record: join(directory, `run-${number}.json`),
  log: join(directory, `run-${number}.log`),
  pid: join(directory, `run-${number}.pid`),
  events: join(directory, `run-${number}.events.jsonl`),
  watch: join(directory, `run-${number}.watch.jsonl`),
  status: join(directory, `run-${number}.status.json`),
  plan: join(directory, `run-${number}.plan.json`),
});

/** The runs of a folder, the first one first. */
export async function listRuns(directory: string): Promise<RunFiles[]> {
  const names = await readdir(directory).catch(() => []);
  return names
    .flatMap((name) => /^run-(\d+)\.json$/.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => a - b)
    .map((number) => filesOf(directory, number));
}

/** The files of the next run. */
export async function nextRun(directory: string): Promise<RunFiles> {
  return filesOf(directory, ((await listRuns(directory)).at(-1)?.number ?? 0) + 1);
}

export const readRun = async ({ record }: RunFiles): Promise<Run> =>
  runSchema.parse(JSON.parse(await readFile(record, "utf8")));

/** The records of a folder's runs, the first one first. */
export const readRuns = async (directory: string): Promise<Run[]> =>
  Promise.all((await listRuns(directory)).map(readRun));

/** A run's record and the chain's line for it, at once: one that the chain does not know is nobody's. */
const keep = ({ record, number }: RunFiles, run: Run, more: Pick<RecordFile, "fresh"> = {}) =>
  writeRecords(dirname(record), [
    { what: `run ${number}`, file: basename(record), content: asFile(run), ...more },
  ]);

/** The record of a run that has begun before. Where the chain was broken meanwhile, how the run ended is written all the same. */
export async function writeRun(files: RunFiles, run: Run): Promise<void> {
  await keep(files, run).catch(async (error: Error) => {
    console.error(`the end of run ${files.number} is not in the chain: ${error.message}`);
    await writeWhole(files.record, asFile(run));
  });
}

/** The record of a run that is to begin. @throws where another has begun under this number meanwhile */
export async function createRun(files: RunFiles, run: Run): Promise<void> {
  await keep(files, run, { fresh: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EEXIST") throw error;
    throw new Error(`run ${files.number} has just begun. next: npm run change -- apply --attach`);
  });
}

/**
 * Writes down that a run ended before it could do its work; one that has its end written keeps it.
 * @param begun whether its engine was at work already
 */
export async function failRun(files: RunFiles, error: unknown, begun = false): Promise<void> {
  const run = await readRun(files);
  if (run.endedAt !== undefined) return;
  const message = error instanceof Error ? error.message : String(error);
  const end = { endedAt: new Date().toISOString(), code: 1, errors: [message] };
  await writeRun(files, { ...run, ...end, ...(!begun && { begun }) });
}

/** Whether the process of a run lives: the number alone may long be another's, so its own command line must say so too. */
export async function lives({ pid, record }: RunFiles): Promise<boolean> {
  const number = await readFile(pid, "utf8").then(
    (text) => text.trim(),
    () => "",
  );
  if (!/^\d+$/.test(number)) return false;
  const line = await readFile(`/proc/${number}/cmdline`, "utf8").catch(() => undefined);
  if (line !== undefined) return line.includes(record);
  try {
    // No /proc here: all that can be asked is whether there is such a process.
    process.kill(Number(number), 0);
    return process.platform !== "linux";
  } catch {
    return false;
  }
}

/** Whether it is this process that carries the run out. */
export const isOwn = async ({ pid }: RunFiles): Promise<boolean> =>
  (await readFile(pid, "utf8").catch(() => "")).trim() === String(process.pid);

/** What an engine said of its failures: the errors of its diagnostics, each with the resource that it is of. */
export function errorsIn(log: string): string[] {
  const diagnostics = /^Diagnostics:\n(.*?)(?=^\S|$(?![\s\S]))/ms.exec(log)?.[1];
  if (diagnostics === undefined) return log.split("\n").filter((line) => line.startsWith("error: "));
  const errors: string[] = [];
  let [resource, open] = ["", false];
  for (const line of diagnostics.split("\n")) {
    const header = /^ {2}(\S.*):$/.exec(line)?.[1];
    if (header) [resource, open] = [header, false];
    else if (/^ {4}error: /.test(line)) {
      errors.push(`${resource}: ${line.slice(11)}`);
      open = true;
    } else if (open && line.trim() !== "" && !/^ {4}(warning|info|debug): /.test(line)) {
      errors.push(`${errors.pop()}\n${line.replace(/^ {4}/, "")}`);
    } else open = false;
  }
  return errors;
}
