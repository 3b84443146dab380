/** Pulumi's CLI, which is all that a record asks: what is planned, what is in state, what has happened. */
import { spawn } from "node:child_process";
import { NAMESPACE } from "../config/mistakes";
import type { SecretKey } from "../config/schema";
import { projectDirectory } from "./program";

/** Which stack, and the file with its config. */
export interface StackChoice {
  readonly stack: string;
  readonly configFile: string;
}

/** How a command ended. */
export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Arguments that choose the stack for the commands that read its config. */
export const choosing = ({ stack, configFile }: StackChoice): string[] => [
  "--stack",
  stack,
  "--config-file",
  configFile,
];

/** The engine's environment. Plans are experimental in Pulumi 3; no agent of SSH is asked (components/sshAgent.ts). */
export const engineEnvironment = (variables: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv => ({
  ...{ ...process.env, PULUMI_EXPERIMENTAL: "true", SSH_AUTH_SOCK: undefined },
  ...variables,
});

/** Runs pulumi in the project to its end. */
export function pulumi(args: readonly string[], variables: NodeJS.ProcessEnv = {}): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn("pulumi", [...args], {
      cwd: projectDirectory,
      env: engineEnvironment(variables),
      stdio: ["ignore", "pipe", "pipe"],
    });
    let [stdout, stderr] = ["", ""];
    child.stdout.setEncoding("utf8").on("data", (text) => {
      stdout += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text) => {
      stderr += text;
    });
    child.on("error", (error: NodeJS.ErrnoException) =>
      reject(
        error.code === "ENOENT"
          ? new Error("pulumi is not on PATH. next: install Pulumi 3.259 or later")
          : error,
      ),
    );
    child.on("close", (code) => resolve({ code: code ?? 1, stdout, stderr }));
  });
}

/** Runs a command that must succeed. @throws with what it said */
export async function pulumiJson<T>(args: readonly string[]): Promise<T> {
  const { code, stdout, stderr } = await pulumi(args);
  if (code !== 0) throw new Error(`pulumi ${args[0]} ended with ${code}: ${stderr.trim() || stdout.trim()}`);
  return JSON.parse(stdout) as T;
}

/** The stack that is asked for, else the one that Pulumi has selected. */
export async function chosenStack(asked?: string): Promise<string> {
  if (asked) return asked;
  const { code, stdout } = await pulumi(["stack", "--show-name", "--non-interactive"]);
  if (code !== 0) throw new Error("no stack is selected. next: name it with --stack, or pulumi stack select");
  return stdout.trim();
}

/**
 * A secret of the stack's config, as the engine that runs here may read it too; undefined where it is not set, or cannot be
 * opened here. It goes into no file and no message.
 */
export async function stackSecret(key: SecretKey, stack: StackChoice): Promise<string | undefined> {
  const { code, stdout } = await pulumi(["config", "get", `${NAMESPACE}:${key}`, ...choosing(stack)]);
  const text = stdout.replace(/\n$/, "");
  return code === 0 && text.trim() !== "" ? text : undefined;
}
