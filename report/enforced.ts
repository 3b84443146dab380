/**
 * The process of one run: `pulumi up` with exactly the approved plan, then what it said and how it ended into the run's
 * record, and the report. Started by `change apply` in a session of its own; its output is the run's log.
 *
 * usage: enforced.ts RECORD DIRECTORY PLAN STACK CONFIG-FILE CHANGE-ID
 */
import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { writeRecords } from "./chain";
import type { Run } from "./evidenceSchema";
import { readPlans } from "./files";
import type { PlanRecord } from "./planSchema";
import { projectDirectory } from "./program";
import { choosing } from "./pulumi";
import { writeReport, writeReportAndTell } from "./reportCommand";
import { beganEvent, endedEvent } from "./runEvents";
import { errorsIn, failRun, listRuns, readRun, writeRun } from "./runFiles";
import { sinks } from "./sinks";
import { withPlannedConfig } from "./stackConfig";

async function main([
  record = "",
  directory = "",
  plan = "",
  stack = "",
  configFile = "",
  changeId = "",
]: readonly string[]): Promise<void> {
  const files = (await listRuns(directory)).find((run) => run.record === record);
  if (!files) throw new Error(`${record} is no run of ${directory}`);
  // Whoever is told of this run: none of them holds it.
  const people = await sinks(directory, { stack, configFile });
  const approved = await approvedOf(directory, await readRun(files));
  people.tell(approved && beganEvent(await readRun(files), approved));
  const code = await withPlannedConfig(configFile, (planned) =>
    up(join(directory, plan), choosing({ stack, configFile: planned })),
  );
  const log = await readFile(files.log, "utf8");
  const ended = {
    ...(await readRun(files)),
    endedAt: new Date().toISOString(),
    code,
    errors: code === 0 ? [] : errorsIn(log),
  };
  await writeRun(files, ended);
  people.tell(approved && endedEvent(ended, approved));
  await people.settled();
  const report = people.settings
    ? writeReportAndTell(directory, people.settings, { stack, configFile })
    : writeReport(directory, { stack, changeId });
  await report.catch((error: Error) => {
    console.error(`the report could not be written: ${error.message}\nnext: npm run change -- report`);
  });
  await writeRecords(
    directory,
    await Promise.all(
      [files.record, files.log].map(async (file) => ({
        what: `run ${files.number}`,
        file: basename(file),
        content: await readFile(file, "utf8"),
      })),
    ),
  );
  process.exitCode = code;
}

/** The approved plan of a run. */
const approvedOf = async (directory: string, { digest }: Run): Promise<PlanRecord | undefined> =>
  (await readPlans(directory)).find((one) => one.digest.value === digest);

/** The engine, to its end, its words into this process's own output. */
function up(plan: string, stack: readonly string[]): Promise<number> {
  const fixed = ["--yes", "--skip-preview", "--non-interactive", "--color=never", `--plan=${plan}`];
  return new Promise((resolve, reject) => {
    const child = spawn("pulumi", ["up", ...fixed, ...stack], {
      cwd: projectDirectory,
      env: { ...process.env, PULUMI_EXPERIMENTAL: "true" },
      stdio: ["ignore", "inherit", "inherit"],
    });
    child.on("error", reject);
    child.on("close", (code) => resolve(code ?? 1));
  });
}

// Stopping a run is for the engine, which ends its step first; this process has its end to write down.
process.on("SIGINT", () => {});

main(process.argv.slice(2)).catch(async (error: unknown) => {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
  const [record, directory = ""] = process.argv.slice(2);
  const files = (await listRuns(directory)).find((run) => run.record === record);
  if (files) await failRun(files, error);
});
