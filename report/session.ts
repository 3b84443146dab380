/** A run in a session of its own: begun, shown, stopped. It goes on without whoever looks at it. */
import { spawn } from "node:child_process";
import { open, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { headLine, readChain } from "./chain";
import { show } from "./live/show";
import { projectDirectory } from "./program";
import { listRuns, lives, type RunFiles } from "./runFiles";
import type { Waits } from "./sinks";

/** What a run is begun with. */
interface Begun {
  /** The name of Pulumi's plan file in the folder. */
  readonly plan: string;
  readonly stack: string;
  readonly directory: string;
  readonly configFile: string;
  readonly changeId: string;
  /** Where the status page is served; undefined: nowhere. */
  readonly statusPort?: number;
  /** How long it bears with those who are told of it; our own where absent. */
  readonly waits?: Waits;
}

/** Starts the run in a session of its own, so that a terminal that goes does not take it along. */
export async function begin(
  run: RunFiles,
  { plan, stack, directory, configFile, changeId, statusPort, waits }: Begun,
): Promise<void> {
  const log = await open(run.log, "a", 0o600);
  const args = [
    "--require",
    "ts-node/register/transpile-only",
    join(__dirname, "enforced.ts"),
    run.record,
    directory,
    plan,
    stack,
    configFile,
    changeId,
    statusPort === undefined ? "" : String(statusPort),
    ...(waits ? [JSON.stringify(waits)] : []),
  ];
  const child = spawn(process.execPath, args, {
    cwd: projectDirectory,
    detached: true,
    stdio: ["ignore", log.fd, log.fd],
  });
  await new Promise((resolve, reject) => child.once("spawn", resolve).once("error", reject));
  await writeFile(run.pid, `${child.pid}\n`, { mode: 0o640 });
  child.unref();
  await log.close();
}

/** Shows the last run, to its end. */
export async function attach(directory: string): Promise<void> {
  const run = (await listRuns(directory)).at(-1);
  if (!run) throw new Error(`${directory} holds no run. next: npm run change -- apply`);
  await watch(run, directory);
}

/** As Ctrl-C would in a terminal: the engine ends what it is at, and begins no more. */
export async function stop(directory: string): Promise<void> {
  const run = (await listRuns(directory)).at(-1);
  if (!run || !(await lives(run))) throw new Error(`no run of ${directory} is at work`);
  process.kill(-Number(await readFile(run.pid, "utf8")), "SIGINT");
  await watch(run, directory);
}

/** Shows a run to its end, then the head of the chain; this process ends as the run did. */
export async function watch(run: RunFiles, directory: string): Promise<void> {
  const code = await show(run, process.stdout);
  if (code === undefined) {
    throw new Error(
      `run ${run.number} ended without a word: it was killed. next: pgrep -a pulumi shows whether an engine is left; when there is none: pulumi cancel --yes, then npm run change -- apply`,
    );
  }
  const head = (await readChain(directory)).at(-1)?.hash;
  if (head) console.log(`\n${headLine(head)}`);
  process.exitCode = code;
}

/** @throws where a run is at work: two would want the same locks */
export async function refuseSecond(directory: string): Promise<void> {
  const last = (await listRuns(directory)).at(-1);
  if (last && (await lives(last)))
    throw new Error(`run ${last.number} is at work. next: npm run change -- apply --attach`);
}
