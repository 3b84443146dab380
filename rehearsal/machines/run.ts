import { spawn } from "node:child_process";

/** How a program is run; nothing is inherited but the environment. */
export interface RunOptions {
  /** Written to its standard input, which is otherwise empty. */
  readonly input?: string;
  /** After this long it is killed and the call fails. Default two minutes. */
  readonly timeoutMilliseconds?: number;
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
}

/** A program that ended with an error or was stopped by its time limit. */
export class ProgramError extends Error {
  constructor(
    readonly commandLine: string,
    readonly exitCode: number | null,
    readonly stderr: string,
  ) {
    super(
      `${commandLine}: ${exitCode === null ? "killed (time limit?)" : `exit ${exitCode}`}: ${stderr.trim()}`,
    );
  }
}

/**
 * Runs a program to its end and returns what it wrote to standard output.
 * @throws ProgramError with its standard error when it fails or outlives its time.
 */
export function run(program: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { env: options.env, cwd: options.cwd, stdio: "pipe" });
    const timer = setTimeout(() => child.kill("SIGKILL"), options.timeoutMilliseconds ?? 120_000);
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
      stdout += chunk;
    });
    child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
      stderr += chunk;
    });
    child.stdin.on("error", () => {}); // it may end without reading all of its input
    child.stdin.end(options.input ?? "");
    child.on("error", (error) => {
      clearTimeout(timer);
      reject(error);
    });
    child.on("close", (code) => {
      clearTimeout(timer);
      if (code === 0) resolve(stdout);
      else reject(new ProgramError([program, ...args].join(" "), code, stderr || stdout));
    });
  });
}

/** Like `run`, for clean-up: false instead of an error. */
export async function succeeds(
  program: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<boolean> {
  try {
    await run(program, args, options);
    return true;
  } catch {
    return false;
  }
}
