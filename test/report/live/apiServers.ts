/** API servers on loopback addresses: HTTPS by a CA of their own, /readyz and pods as kube-apiserver answers them. */
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";

const READY = "[+]ping ok\n[+]log ok\n[+]etcd ok\n[+]informer-sync ok\nreadyz check passed\n";

/** What a server says of itself; `silent` takes the connection and says nothing. */
export type Mood = "ready" | "no etcd" | "silent";

export class ApiServers {
  private readonly folder = mkdtempSync(join(tmpdir(), "api-servers-"));
  private readonly servers = new Map<string, Server>();
  readonly moods = new Map<string, Mood>();
  /** How often each was asked whether it is ready. */
  readonly asked = new Map<string, number>();
  pods: readonly object[] = [];

  constructor() {
    this.certify("ca", "cluster-ca");
    const ca = ["-CA", "ca.pem", "-CAkey", "ca.key"];
    const names = ["-addext", "subjectAltName=DNS:kubernetes.default.svc,DNS:localhost"];
    this.certify("server", "kube-apiserver", ...ca, ...names);
    this.certify("client", "system:admin", ...ca);
  }

  /** Makes `file`.key and `file`.pem; signed by itself but for what `more` says. */
  private certify(file: string, name: string, ...more: string[]): void {
    const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
    const out = ["-keyout", `${file}.key`, "-out", `${file}.pem`, "-days", "2", "-subj", `/CN=${name}`];
    execFileSync("openssl", ["req", "-x509", ...key, ...out, ...more], { cwd: this.folder, stdio: "ignore" });
  }

  /** One that answers at `host:6443`. */
  async start(host: string, mood: Mood = "ready"): Promise<void> {
    this.moods.set(host, mood);
    const tls = { ca: this.read("ca.pem"), cert: this.read("server.pem"), key: this.read("server.key") };
    const server = createServer(
      { ...tls, requestCert: true, rejectUnauthorized: true },
      (request, response) => {
        const now = this.moods.get(host);
        if (request.url?.startsWith("/api/v1/pods"))
          return response.end(JSON.stringify({ items: this.pods }));
        this.asked.set(host, (this.asked.get(host) ?? 0) + 1);
        if (now === "silent") return undefined;
        if (now === "ready") return response.end(READY);
        response.writeHead(500);
        return response.end(READY.replace("[+]etcd ok", "[-]etcd failed: reason withheld"));
      },
    );
    server.listen(6443, host);
    await once(server, "listening");
    this.servers.set(host, server);
  }

  /** As when its machine goes: nobody listens there. */
  async stop(host: string): Promise<void> {
    const server = this.servers.get(host);
    this.servers.delete(host);
    server?.closeAllConnections();
    if (server) await new Promise((resolve) => server.close(resolve));
  }

  async remove(): Promise<void> {
    for (const host of [...this.servers.keys()]) await this.stop(host);
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** As RKE2 writes it. */
  kubeconfig(host: string): string {
    const data = (name: string) => this.read(name).toString("base64");
    return `apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: ${data("ca.pem")}
    server: https://${host}:6443
  name: default
contexts:
- context:
    cluster: default
    user: default
  name: default
current-context: default
kind: Config
users:
- name: default
  user:
    client-certificate-data: ${data("client.pem")}
    client-key-data: ${data("client.key")}
`;
  }

  private read = (name: string): Buffer => readFileSync(join(this.folder, name));
}
