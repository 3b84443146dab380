import { randomBytes } from "node:crypto";
import { chmod, chown, mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Machine } from "../machines/machine";
import { run } from "../machines/run";
import { ingressNames, labAddresses, type Stack, type StackNode } from "./stack";

/** The lab has no DNS: the same hosts file on every machine and for the operator. */
export function hostsFile(stack: Stack): string {
  const { api, ingress, proxmox, releases } = labAddresses(stack);
  const lines = [
    "127.0.0.1 localhost",
    ...stack.nodes.map(({ address, name }) => `${address} ${name}`),
    `${api} kubernetes-api`,
    `${proxmox} proxmox`,
    `${releases} releases`,
    `${ingress} ${["ingress", ...ingressNames(stack)].join(" ")}`,
  ];
  return `${lines.join("\n")}\n`;
}

/**
 * Writes on a new machine's disk what an installer would have: names, keys,
 * the operator's access, and the node's properties for the stand-ins on it.
 * @param publicKey the operator's, in authorized_keys form.
 * @returns the machine's SSH host keys, in authorized_keys form, ECDSA first: the one that the Go client behind
 *   Pulumi's command provider asks for.
 */
export async function provision(
  machine: Machine,
  node: StackNode,
  stack: Stack,
  publicKey: string,
): Promise<readonly string[]> {
  await machine.disk.mount();
  const root = machine.disk.mountPoint;
  const write = async (path: string, content: string, mode = 0o644) => {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), content);
    await chmod(join(root, path), mode);
  };

  await write("etc/hostname", `${node.name}\n`);
  await write("etc/hosts", hostsFile(stack));
  await write("etc/machine-id", `${randomBytes(16).toString("hex")}\n`, 0o444);
  await write("etc/rehearsal/node.json", `${JSON.stringify(nodeProperties(node, stack), null, 2)}\n`);

  // No mirror is within reach: what packages there are to upgrade, the fault os-outdated brings.
  await write("etc/apt/sources.list", "");

  const hostKeys = [
    await makeHostKey(root, "ecdsa", node.name),
    await makeHostKey(root, "ed25519", node.name),
  ];

  const { user } = stack.ssh;
  const { uid, gid } = await account(root, user);
  const home = join("home", user);
  await write(join(home, ".ssh/authorized_keys"), `${publicKey.trim()}\n`, 0o600);
  for (const path of [".ssh", ".ssh/authorized_keys"]) await chown(join(root, home, path), uid, gid);
  await chmod(join(root, home, ".ssh"), 0o700);

  await machine.disk.unmount();
  return hostKeys;
}

/** Makes a host key where sshd looks for it. @returns its public half. */
async function makeHostKey(root: string, type: string, name: string): Promise<string> {
  const file = join(root, `etc/ssh/ssh_host_${type}_key`);
  await run("ssh-keygen", ["-q", "-t", type, "-N", "", "-C", name, "-f", file]);
  const [algorithm, key] = (await readFile(`${file}.pub`, "utf8")).trim().split(" ");
  return `${algorithm} ${key}`;
}

/** What the stand-ins of RKE2 and the container runtime read on their node. */
function nodeProperties(node: StackNode, { knobs }: Stack) {
  return {
    extendedResources: node.gpu ? { "nvidia.com/gpu": "1" } : {},
    capacity: { cpu: "4", memory: "16Gi" },
    serviceStartDelaySeconds: knobs.serviceStartDelaySeconds,
    chartsCrashBetweenServers: knobs.chartsCrashBetweenServers,
    useWholeGrace: knobs.useWholeGrace,
  };
}

/** The operator's account on a machine, made if the base root has none of that name. */
async function account(root: string, user: string): Promise<{ uid: number; gid: number }> {
  const find = async () =>
    (await readFile(join(root, "etc/passwd"), "utf8"))
      .split("\n")
      .map((line) => line.split(":"))
      .find(([name]) => name === user);
  if (!(await find())) {
    await run("chroot", [root, "useradd", "--create-home", "--shell", "/bin/bash", user]);
    await writeFile(join(root, "etc/sudoers.d", user), `${user} ALL=(ALL) NOPASSWD:ALL\n`, { mode: 0o440 });
  }
  const [, , uid, gid] = (await find()) ?? [];
  return { uid: Number(uid), gid: Number(gid) };
}
