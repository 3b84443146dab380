import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { runDirectory } from "../machines/paths";
import { run } from "../machines/run";
import { Daemon } from "./daemon";
import { ingressNames, labAddresses, type Stack, type StackNode } from "./stack";

/** Port of RKE2's supervisor, where nodes join. */
const supervisorPort = 9345;

/** A backend that takes a node out within about a second after it stops to answer. */
function backend(name: string, mode: "tcp" | "http", nodes: readonly StackNode[], port: number): string {
  const servers = nodes.map(
    (node) =>
      `  server ${node.name} ${node.address}:${port} check inter 500 fall 2 rise 1 on-marked-down shutdown-sessions`,
  );
  return [`backend ${name}`, `  mode ${mode}`, "  balance roundrobin", ...servers].join("\n");
}

/**
 * Configuration of the lab's load balancer: the API's virtual address to the
 * servers, the ingress address to the agents, TLS ended here as with any cloud
 * load balancer.
 * @param certificate PEM file with key and certificate for the ingress names.
 */
export function haproxyConfiguration(stack: Stack, certificate: string): string {
  const { api, ingress } = labAddresses(stack);
  const servers = stack.nodes.filter(({ role }) => role === "server");
  const agents = stack.nodes.filter(({ role }) => role === "agent");
  return `${[
    "global",
    "  maxconn 4000",
    "defaults",
    "  timeout connect 2s",
    "  timeout client 1h", // a watch may be silent for long
    "  timeout server 1h",
    "  retries 3",
    "  option redispatch",
    "frontend api",
    "  mode tcp",
    `  bind ${api}:6443`,
    "  default_backend api",
    "frontend supervisor",
    "  mode tcp",
    `  bind ${api}:${supervisorPort}`,
    "  default_backend supervisor",
    "frontend ingress",
    "  mode http",
    `  bind ${ingress}:80`,
    `  bind ${ingress}:443 ssl crt ${certificate}`,
    "  default_backend ingress",
    backend("api", "tcp", servers, 6443),
    backend("supervisor", "tcp", servers, supervisorPort),
    backend("ingress", "http", agents, 80),
  ].join("\n")}\n`;
}

/** The load balancer's daemon, its files written. */
export async function loadBalancer(stack: Stack): Promise<Daemon> {
  await mkdir(runDirectory, { recursive: true });
  const certificate = join(runDirectory, "ingress.pem");
  const configuration = join(runDirectory, "haproxy.cfg");
  const names = ingressNames(stack);
  const pem = await run("openssl", [
    ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30"],
    ...["-subj", `/CN=${names[0] ?? "ingress"}`, "-keyout", "-", "-out", "-"],
    ...(names.length ? ["-addext", `subjectAltName=${names.map((name) => `DNS:${name}`).join(",")}`] : []),
  ]);
  await writeFile(certificate, pem, { mode: 0o600 });
  await writeFile(configuration, haproxyConfiguration(stack, certificate));
  return new Daemon("haproxy", ["haproxy", "-db", "-f", configuration]);
}
