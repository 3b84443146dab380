import { spawn } from "node:child_process";
import { dirname } from "node:path";
import { operator } from "../lab/operator";
import { readState } from "../lab/state";
import { networkNamespacePath } from "../machines/network";

/**
 * The environment of the lab's operator, over this process's own.
 * @throws Error when no rehearsal is up.
 */
export async function operatorEnvironment(): Promise<NodeJS.ProcessEnv> {
  const { builds } = await readState();
  return {
    ...process.env,
    PATH: [builds.toolchain, dirname(process.execPath), builds.kubernetes, process.env.PATH].join(":"),
    KUBECONFIG: operator.kubeconfig,
    PULUMI_HOME: operator.pulumiHome,
    PULUMI_BACKEND_URL: `file://${operator.pulumiBackend}`,
    PULUMI_CONFIG_PASSPHRASE_FILE: operator.passphrase,
    PULUMI_STACK: "rehearsal",
    PULUMI_SKIP_UPDATE_CHECK: "true",
    PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
  };
}

/**
 * The command line that puts a command where the operator's workstation
 * stands: in the outer network, with the lab's names and SSH settings in place
 * of this machine's own, seen by that command alone.
 */
export function atTheWorkstation(command: readonly string[]): string[] {
  const mounts = [
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
