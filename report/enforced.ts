/**
 * The process of one run: `pulumi up` with exactly the approved plan, then what it said and how it ended into the run's
 * record, and the report. Started by `change apply` in a session of its own; its output is the run's log.
 *
 * usage: enforced.ts RECORD DIRECTORY PLAN STACK CONFIG-FILE CHANGE-ID [STATUS-PORT [WAITS]]
 * STATUS-PORT is empty where no page is served; WAITS is the JSON of {@link Waits}.
 */
import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { look } from "../observe/look";
import { writeRecords } from "./chain";
import { differences } from "./digest";
import { readPlans } from "./files";
import { Live } from "./live/live";
import type { Sink } from "./live/tell";
import type { PlanRecord } from "./planSchema";
import { programFiles, projectDirectory } from "./program";
import { choosing, engineEnvironment, type StackChoice } from "./pulumi";
import { writeReport, writeReportAndTell } from "./reportCommand";
import { errorsIn, failRun, listRuns, type RunFiles, readRun, writeRun } from "./runFiles";
import { sinks, type Waits } from "./sinks";
import { readStack, withPlannedConfig } from "./stackConfig";
import { leftovers } from "./takeIn";

async function main([
  record = "",
  directory = "",
  plan = "",
  stack = "",
  configFile = "",
  changeId = "",
  statusPort,
  waits,
]: readonly string[]): Promise<void> {
  const files = (await listRuns(directory)).find((run) => run.record === record);
  if (!files) throw new Error(`${record} is no run of ${directory}`);
  const approved = await planOf(files, directory);
  // Before anybody is told: what apply held to the plan is seconds old, and this process has read its own files since.
  const moved = editedSince(approved);
  if (moved.length > 0)
    throw new Error(
      ["nothing was touched: the program is not the one that was approved", ...moved, EDITED_NEXT].join("\n"),
    );
  // As it is now: who edits it meanwhile moves nothing of this run.
  const config = await look(async () => readStack(stack, configFile));
  const asks = "value" in config ? config.value : undefined;
  // Whoever is told of this run: none of them holds it.
  const bears = waits ? (JSON.parse(waits) as Waits) : undefined;
  const people = await sinks(directory, asks?.settings, { stack, configFile }, await readRun(files), bears);
  const { live, heard } = await liveOf(files, approved, { stack, configFile }, statusPort, [people.tell]);
  const code = await withPlannedConfig(configFile, (planned) =>
    up(join(directory, plan), choosing({ stack, configFile: planned }), heard),
  );
  const log = await readFile(files.log, "utf8");
  const endedAt = new Date().toISOString();
  // A run reads its files as it comes to them: what was edited meanwhile may be what was run.
  const seen = await look(async () => editedSince(approved));
  const now = "value" in seen ? seen.value : [`program: not measured: ${seen.missing}`];
  const edited = now.map((line) => `while it ran, ${line}`);
  for (const line of edited) console.error(line);
  const errors = [...(code === 0 ? [] : errorsIn(log)), ...edited];
  await writeRun(files, { ...(await readRun(files)), endedAt, code, errors });
  await live?.end(code, errors).catch((error: Error) => {
    console.error(`what is live of the run did not end well: ${error.message}`);
  });
  await people.settled();
  const report = asks
    ? writeReportAndTell(directory, { stack, configFile }, asks)
    : writeReport(directory, { stack, changeId });
  await report.catch((error: Error) => {
    console.error(`the report could not be written: ${error.message}\nnext: npm run change -- report`);
  });
  await writeRecords(directory, await leftovers(files));
  process.exitCode = code;
}

const EDITED_NEXT =
  "next: bring the files back, or npm run change -- plan, and have the new plan approved; then npm run change -- apply";

/** The change request that a run carries out. */
async function planOf(files: RunFiles, directory: string): Promise<PlanRecord> {
  const { digest } = await readRun(files);
  const plan = (await readPlans(directory)).find((one) => one.digest.value === digest);
  if (!plan) throw new Error("nothing was touched: the folder holds no change request of this run's digest");
  return plan;
}

/** Files of the program that are not as a plan has them, a line each. */
const editedSince = ({ digest }: PlanRecord): string[] =>
  differences("program:", digest.files, programFiles());

/** What the engine is given so that it can be listened to. */
type Heard = Awaited<ReturnType<Live["begin"]>>;

/** What is live of it; a run goes on without. @param told who is told of its events beside its own file */
async function liveOf(
  files: RunFiles,
  plan: PlanRecord,
  stack: StackChoice,
  statusPort: string | undefined,
  told: readonly Sink[],
): Promise<{ live?: Live; heard?: Heard }> {
  try {
    const run = await readRun(files);
    const { settings } = readStack(stack.stack, stack.configFile);
    const port = statusPort ? Number(statusPort) : undefined;
    const live = new Live({ files, run, plan, settings, stack, sinks: told, statusPort: port });
    return { live, heard: await live.begin() };
  } catch (error) {
    console.error(`nothing of this run is shown live or watched: ${(error as Error).message}`);
    return {};
  }
}

let engineBegan = false;

/** The engine, to its end, its words into this process's own output. @param heard by which it is listened to */
function up(
  plan: string,
  stack: readonly string[],
  heard: Heard = { args: [], variables: {} },
): Promise<number> {
  const fixed = ["--yes", "--skip-preview", "--non-interactive", "--color=never", `--plan=${plan}`];
  return new Promise((resolve, reject) => {
    const child = spawn("pulumi", ["up", ...fixed, ...stack, ...heard.args], {
      cwd: projectDirectory,
      env: engineEnvironment(heard.variables),
      stdio: ["ignore", "inherit", "inherit"],
    });
    child.on("spawn", () => {
      engineBegan = true;
    });
    child.on("error", reject);
    child.on("close", (code) => resolve(code ?? 1));
  });
}

// Stopping a run is for the engine, which ends its step first; this process has its end to write down.
process.on("SIGINT", () => {});

main(process.argv.slice(2))
  .catch(async (error: unknown) => {
    console.error(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
    const [record, directory = ""] = process.argv.slice(2);
    const files = (await listRuns(directory)).find((run) => run.record === record);
    if (files) await failRun(files, error, engineBegan);
  })
  // What the watch may still be asking over SSH is nobody's concern any more.
  .finally(() => process.exit());
