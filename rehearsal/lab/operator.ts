import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { runInNetwork } from "../machines/network";
import { operatorDirectory } from "../machines/paths";
import { run } from "../machines/run";
import { hostsFile } from "./provision";
import type { Stack } from "./stack";

/** Files of the operator's workstation. They are part of every checkpoint. */
export const operator = {
  privateKey: join(operatorDirectory, "id_ed25519"),
  knownHosts: join(operatorDirectory, "known_hosts"),
  sshConfig: join(operatorDirectory, "ssh_config"),
  hosts: join(operatorDirectory, "hosts"),
  kubeconfig: join(operatorDirectory, "kubeconfig"),
  passphrase: join(operatorDirectory, "passphrase"),
  pulumiHome: join(operatorDirectory, "pulumi-home"),
  pulumiBackend: join(operatorDirectory, "pulumi-state"),
  backupKey: join(operatorDirectory, "age-key.txt"),
  backups: join(operatorDirectory, "backups"),
} as const;

/** Makes the operator's SSH key. @returns its public half. */
export async function createKey(): Promise<string> {
  await mkdir(operatorDirectory, { recursive: true });
  if (!existsSync(operator.privateKey)) {
    await run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "operator", "-f", operator.privateKey]);
  }
  return readFile(`${operator.privateKey}.pub`, "utf8");
}

/**
 * Writes what lets the operator type `ssh proj-k8sm01`: names, pinned host keys, user and key.
 * @param hostKeys by node name.
 */
export async function writeSshConfig(
  stack: Stack,
  hostKeys: Readonly<Record<string, readonly string[]>>,
): Promise<void> {
  const known = stack.nodes.flatMap(({ name, address }) =>
    (hostKeys[name] ?? []).map((key) => `${name},${address} ${key}`),
  );
  await writeFile(operator.knownHosts, `${known.join("\n")}\n`);
  await writeFile(operator.hosts, hostsFile(stack));
  await writeFile(
    operator.sshConfig,
    [
      "Host *",
      `  User ${stack.ssh.user}`,
      `  IdentityFile ${operator.privateKey}`,
      `  UserKnownHostsFile ${operator.knownHosts}`,
      "  StrictHostKeyChecking yes",
      "  BatchMode yes",
      "  ConnectTimeout 10",
      "",
    ].join("\n"),
  );
}

/** Runs a shell script on the node of an address over SSH, as the operator would, and returns its output. */
export async function ssh(address: string, script: string, timeoutSeconds = 120): Promise<string> {
  return runInNetwork("ssh", ["-F", operator.sshConfig, address, "bash -s"], {
    input: script,
    timeoutMilliseconds: timeoutSeconds * 1000,
  });
}
