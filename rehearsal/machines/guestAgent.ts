import { spawn } from "node:child_process";
import type { Machine } from "./machine";
import { succeeds } from "./run";

/** How a program in a guest ended. */
export interface Executed {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** What enters a guest's own namespaces; undefined while it has no systemd. */
async function enter(machine: Machine): Promise<string[] | undefined> {
  const pid = await machine.pid();
  if (pid === undefined) return undefined;
  return ["nsenter", `--target=${pid}`, "--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup"];
}

/** Whether the guest's systemd starts services yet: its agent is one of them. */
export async function agentUp(machine: Machine): Promise<boolean> {
  const [program = "", ...args] = (await enter(machine)) ?? [];
  if (!program) return false;
  return succeeds(program, [...args, "systemctl", "is-active", "--quiet", "basic.target"], {
    timeoutMilliseconds: 5000,
  });
}

/**
 * Runs a program in the guest to its end, whatever its exit code. The guest's systemd starts it, so that it stands in the
 * guest's control group and ends with the guest.
 * @throws Error while the guest has no systemd
 */
export async function execute(
  machine: Machine,
  command: readonly string[],
  input: string,
): Promise<Executed> {
  const entered = await enter(machine);
  if (!entered) throw new Error(`${machine.record.name} has not booted`);
  const [program = "", ...args] = entered;
  const service = ["systemd-run", "--quiet", "--pipe", "--wait", "--collect", "--service-type=exec"];
  return new Promise((resolve, reject) => {
    const child = spawn(program, [...args, ...service, "--", ...command], { stdio: "pipe" });
    const [out, err]: [Buffer[], Buffer[]] = [[], []];
    child.stdout.on("data", (chunk: Buffer) => out.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => err.push(chunk));
    child.stdin.on("error", () => {}); // it may end without reading all of its input
    child.stdin.end(input);
    child.on("error", reject);
    child.on("close", (code) =>
      resolve({
        code: code ?? 255,
        stdout: Buffer.concat(out).toString(),
        stderr: Buffer.concat(err).toString(),
      }),
    );
  });
}
