/**
 * The process of one run: `pulumi up` with exactly the approved plan, then what it said and how it ended into the run's
 * record, and the report. Started by `change apply` in a session of its own; its output is the run's log.
 *
 * usage: enforced.ts RECORD DIRECTORY PLAN STACK CONFIG-FILE
 */
import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { look } from "../observe/look";
import { writeRecords } from "./chain";
import { projectDirectory } from "./program";
import { choosing } from "./pulumi";
import { writeReport } from "./reportCommand";
import { errorsIn, failRun, listRuns, readRun, writeRun } from "./runFiles";
import { readStack, withPlannedConfig } from "./stackConfig";

async function main([
  record = "",
  directory = "",
  plan = "",
  stack = "",
  configFile = "",
]: readonly string[]): Promise<void> {
  const files = (await listRuns(directory)).find((run) => run.record === record);
  if (!files) throw new Error(`${record} is no run of ${directory}`);
  // As it is now: whoever edits it meanwhile does not move the report to another change.
  const config = await look(async () => readStack(stack, configFile));
  const code = await withPlannedConfig(configFile, (planned) =>
    up(join(directory, plan), choosing({ stack, configFile: planned })),
  );
  const log = await readFile(files.log, "utf8");
  const endedAt = new Date().toISOString();
  await writeRun(files, {
    ...(await readRun(files)),
    endedAt,
    code,
    errors: code === 0 ? [] : errorsIn(log),
  });
  const reported = async () => {
    if ("missing" in config) throw new Error(config.missing);
    return writeReport(directory, { stack, configFile, settings: config.value.settings });
  };
  await reported().catch((error: Error) => {
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
