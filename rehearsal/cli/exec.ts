import { spawn } from "node:child_process";
import { operatorEnvironment } from "../lab/environment";
import { operator } from "../lab/operator";
import { ControlGroup } from "../machines/controlGroup";
import { networkNamespacePath } from "../machines/network";

/**
 * The command line that puts a command where the operator's workstation
 * stands: in the outer network, with the lab's names and SSH settings in place
 * of this machine's own, seen by that command alone.
 */
export function atTheWorkstation(command: readonly string[]): string[] {
  const group = new ControlGroup("operator").path;
  const mounts = [
    // What a kill leaves behind, Pulumi's plugins say, ends with the rehearsal.
    `mkdir -p ${group} && echo $$ >${group}/cgroup.procs`,
    `mount --bind ${operator.hosts} /etc/hosts`,
    `mount --bind ${operator.sshConfig} /etc/ssh/ssh_config`,
    'exec "$@"',
  ];
  const script = mounts.join(" && ");
  return [
    ...["nsenter", `--net=${networkNamespacePath}`],
    ...["unshare", "--mount", "--propagation", "slave"],
    ...["sh", "-c", script, "sh", ...command],
  ];
}

/** Runs a command as the operator and ends with its exit code. Signals of the terminal reach it by themselves. */
export async function exec(command: readonly string[]): Promise<void> {
  const env = await operatorEnvironment();
  const [program = "", ...args] = atTheWorkstation(command);
  const child = spawn(program, args, { env, stdio: "inherit" });
  for (const signal of ["SIGTERM", "SIGHUP"] as const) process.on(signal, () => child.kill(signal));
  process.on("SIGINT", () => {}); // the child is in the same foreground group and decides
  process.exitCode = await new Promise<number>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => resolve(code ?? (signal === "SIGINT" ? 130 : 143)));
  });
}
