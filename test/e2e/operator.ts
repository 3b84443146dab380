/** What an operator of the lab would type, from the tests. */
import { type ChildProcess, spawn } from "node:child_process";
import { atTheWorkstation } from "../../rehearsal/cli/exec";
import { operatorEnvironment } from "../../rehearsal/lab/environment";

/** How a command ended, stdout and stderr in the order in which they came. */
export interface Ended {
  readonly code: number | null;
  readonly output: string;
}

/** A command that runs at the operator's workstation. */
export interface Running {
  readonly process: ChildProcess;
  /** All it has printed so far. */
  output(): string;
  readonly ended: Promise<Ended>;
}

/** What pulumi has printed in this run of the tests. */
const printed: string[] = [];
export const everythingPrinted = (): string => printed.join("");

/** Starts a command at the operator's workstation, in a process group of its own, so that all of it can be killed. */
export async function start(command: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Running> {
  const [program = "", ...args] = atTheWorkstation(command);
  const child = spawn(program, args, {
    env: { ...(await operatorEnvironment()), ...env },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  let output = "";
  const keep = (data: Buffer) => {
    output += data.toString();
    if (command[0] === "pulumi") printed.push(data.toString());
  };
  child.stdout?.on("data", keep);
  child.stderr?.on("data", keep);
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, output }));
  });
  return { process: child, output: () => output, ended };
}

/** Runs a command to its end, bounded. */
export async function run(
  command: readonly string[],
  minutes = 15,
  env: NodeJS.ProcessEnv = {},
): Promise<Ended> {
  const running = await start(command, env);
  const timer = setTimeout(() => killAll(running, "SIGKILL"), minutes * 60_000);
  try {
    return await running.ended;
  } finally {
    clearTimeout(timer);
  }
}

/** Signals everything that the command started. */
export function killAll({ process: child }: Running, signal: NodeJS.Signals): void {
  try {
    if (child.pid) process.kill(-child.pid, signal);
  } catch (error) {
    // It ended by itself just now.
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/** Runs a command that must succeed. @returns what it printed */
export async function ok(...command: string[]): Promise<string> {
  const { code, output } = await run(command);
  if (code !== 0) throw new Error(`${command.join(" ")} ended with ${code}:\n${output}`);
  return output;
}

/** JSON of what kubectl prints. */
export async function kubectl<T>(...args: string[]): Promise<T> {
  return JSON.parse(await ok("kubectl", ...args, "--output=json")) as T;
}

/** Runs a command on a node over SSH. */
export const onNode = (node: string, command: string): Promise<string> => ok("ssh", node, command);

/** A plain `pulumi up`. */
export const UP = ["pulumi", "up", "--yes", "--skip-preview", "--non-interactive", "--color=never"];

/** A plain `pulumi up`, and what it said. */
export const up = (): Promise<Ended> => run(UP, 25);

/** Starts `pulumi up` and leaves it running. */
export const startUp = (): Promise<Running> => start(UP);

/** Sets keys of the stack's config. */
export async function configure(keys: Record<string, string>): Promise<void> {
  for (const [key, value] of Object.entries(keys))
    await ok("pulumi", "config", "set", "--path", `rke2-upgrade:${key}`, value);
}

/** Lets the lock of a dead engine go, as the README has it: a file that it was about to write, empty, goes first. */
export async function cancel(): Promise<void> {
  const stacks = `"\${PULUMI_BACKEND_URL#file://}/.pulumi/stacks"`;
  await ok("bash", "-c", `find ${stacks} -name '*.json.attrs' -empty -delete`);
  await ok("pulumi", "cancel", "--yes");
}
