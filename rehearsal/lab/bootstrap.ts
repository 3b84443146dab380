import { writeFile } from "node:fs/promises";
import { stringify } from "yaml";
import { step } from "../cli/progress";
import { until } from "../machines/poll";
import { operator, ssh } from "./operator";
import { firstServer, labAddresses, type Stack, type StackNode } from "./stack";
import type { LabState } from "./state";

/** What RKE2 needs at most to start on one node here: two cores carry all of them. */
const startSeconds = 240;

/**
 * A node's /etc/rancher/rke2/config.yaml as an operator would write it. The
 * first server founds the cluster and makes up its token, all others join at the API's address.
 * @param token undefined for the founder
 */
export function nodeConfiguration(stack: Stack, node: StackNode, token?: string): string {
  const { api } = labAddresses(stack);
  return stringify({
    ...(token && { server: `https://${api}:9345`, token }),
    "node-ip": node.address,
    // The lab runs its own Traefik; from 1.36 RKE2 would bring a second one.
    ...(node.role === "server" ? { "tls-san": [api], "ingress-controller": "none" } : {}),
    ...(node.gpu ? { "node-label": ["nvidia.com/gpu.present=true"] } : {}),
  });
}

const service = ({ role }: StackNode) => `rke2-${role}.service`;

/** Shell that installs a version on a node with the release server's script, as an operator would. */
export function installScript(stack: Stack, { role }: StackNode, version: string): string[] {
  const url = `http://${labAddresses(stack).releases}`;
  const environment = [
    `INSTALL_RKE2_VERSION='${version}'`,
    `INSTALL_RKE2_TYPE=${role}`,
    `INSTALL_RKE2_ARTIFACT_URL=${url}/rke2/releases/download`,
  ];
  return [
    `curl -sfL ${url}/ -o /tmp/install.sh`,
    `sudo env ${environment.join(" ")} sh /tmp/install.sh </dev/null`,
    "rm /tmp/install.sh",
  ];
}

/** Installs a version on a node, its service enabled. */
async function install({ stack, baseline }: LabState, node: StackNode): Promise<void> {
  await ssh(
    node.address,
    [
      "set -euo pipefail",
      ...installScript(stack, node, baseline),
      `sudo systemctl enable --quiet ${service(node)}`,
    ].join("\n"),
  );
}

/** Writes a node's configuration, starts RKE2 there and waits until systemd calls it started. */
async function start(stack: Stack, node: StackNode, token?: string): Promise<void> {
  const configuration = Buffer.from(nodeConfiguration(stack, node, token)).toString("base64");
  await ssh(
    node.address,
    [
      "set -euo pipefail",
      "sudo install -d -m 0755 /etc/rancher/rke2",
      `base64 -d <<<'${configuration}' | sudo install -m 0600 /dev/stdin /etc/rancher/rke2/config.yaml`,
      `sudo systemctl start --no-block ${service(node)}`,
    ].join("\n"),
  );
  const active = async () =>
    (await ssh(node.address, `systemctl is-active ${service(node)} || true`)).trim() === "active";
  await until(`${service(node)} on ${node.name}`, startSeconds, active, 1000).catch(async (error: Error) => {
    const journal = await ssh(node.address, `sudo journalctl --unit ${service(node)} --lines 10 --no-pager`);
    throw new Error(`${error.message}\n${journal}`);
  });
}

/** The token that the founder has made up. */
const madeToken = async (founder: StackNode): Promise<string> =>
  (await ssh(founder.address, "sudo cat /var/lib/rancher/rke2/server/token")).trim();

/** Fetches the cluster's admin kubeconfig for the operator, pointed at the API's virtual address. */
async function fetchKubeconfig(stack: Stack): Promise<void> {
  const kubeconfig = await ssh(firstServer(stack).address, "sudo cat /etc/rancher/rke2/rke2.yaml");
  const server = `https://${labAddresses(stack).api}:6443`;
  await writeFile(operator.kubeconfig, kubeconfig.replace("https://127.0.0.1:6443", server), { mode: 0o600 });
}

/**
 * Founds the cluster on the machines as its operators once did by hand:
 * install everywhere, start the first server, then the others one at a time,
 * then the agents together.
 */
export async function bootstrap(state: LabState): Promise<void> {
  const { stack, baseline } = state;
  const [founder, ...servers] = stack.nodes.filter(({ role }) => role === "server");
  const agents = stack.nodes.filter(({ role }) => role === "agent");
  if (!founder) throw new Error("the stack has no server");

  await step(`RKE2 ${baseline} installed on ${stack.nodes.length} nodes`, () =>
    Promise.all(stack.nodes.map((node) => install(state, node))),
  );
  await step(`${founder.name} founds the cluster`, () => start(stack, founder));
  await fetchKubeconfig(stack);
  const token = await madeToken(founder);
  for (const server of servers) await step(`${server.name} joins`, () => start(stack, server, token));
  if (agents.length > 0) {
    await step(`${agents.map(({ name }) => name).join(", ")} join`, () =>
      Promise.all(agents.map((agent) => start(stack, agent, token))),
    );
  }
}
