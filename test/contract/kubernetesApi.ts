import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { BatchV1Api, CoreV1Api, KubeConfig } from "@kubernetes/client-node";
import { freePort } from "./sshServer";
import { root } from "./toolchain";

const version = "v1.36.3";
const token = "contract";

/**
 * A real kube-apiserver on a real etcd, on loopback ports of their own. Of the controllers only the garbage collector
 * runs, which deletions in the foreground need; the tests play the others.
 */
export class KubernetesApi {
  readonly directory = fs.mkdtempSync(path.join(os.tmpdir(), "contract-kubernetes-"));
  private readonly processes: ChildProcess[] = [];
  private port = 0;

  /** Builds what is missing, starts both and waits until the API is ready. */
  async start(): Promise<void> {
    const { kubernetes, etcd } = built();
    const [client, peer, secure] = [await freePort(), await freePort(), await freePort()];
    this.port = secure;
    const url = (port: number) => `http://127.0.0.1:${port}`;
    this.run(path.join(etcd, "etcd"), {
      "data-dir": this.file("etcd"),
      "listen-client-urls": url(client),
      "advertise-client-urls": url(client),
      "listen-peer-urls": url(peer),
      "initial-advertise-peer-urls": url(peer),
      "initial-cluster": `default=${url(peer)}`,
      "unsafe-no-fsync": "true",
    });
    execFileSync("openssl", ["genrsa", "-out", this.file("accounts.key"), "2048"], { stdio: "ignore" });
    fs.writeFileSync(this.file("tokens.csv"), `${token},contract,1,system:masters\n`);
    this.run(path.join(kubernetes, "kube-apiserver"), {
      "etcd-servers": url(client),
      "bind-address": "127.0.0.1",
      "secure-port": String(secure),
      "cert-dir": this.file("certificates"),
      "token-auth-file": this.file("tokens.csv"),
      "authorization-mode": "AlwaysAllow",
      "disable-admission-plugins": "ServiceAccount",
      "service-cluster-ip-range": "10.43.0.0/24",
      "service-account-issuer": "contract",
      "service-account-key-file": this.file("accounts.key"),
      "service-account-signing-key-file": this.file("accounts.key"),
    });
    await this.ready();
    fs.writeFileSync(this.file("kubeconfig"), this.kubeconfig());
    this.run(path.join(kubernetes, "kube-controller-manager"), {
      kubeconfig: this.file("kubeconfig"),
      controllers: "garbage-collector-controller",
      "leader-elect": "false",
      "secure-port": "0",
    });
  }

  /** Ends both and removes their files. */
  async stop(): Promise<void> {
    for (const child of this.processes.reverse()) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const ended = once(child, "exit");
      child.kill("SIGKILL");
      await ended;
    }
    fs.rmSync(this.directory, { recursive: true, force: true });
  }

  /** A kubeconfig for the API, as text. */
  kubeconfig(): string {
    return JSON.stringify({
      apiVersion: "v1",
      kind: "Config",
      clusters: [
        {
          name: "contract",
          cluster: { server: `https://127.0.0.1:${this.port}`, "insecure-skip-tls-verify": true },
        },
      ],
      users: [{ name: "contract", user: { token } }],
      contexts: [{ name: "contract", context: { cluster: "contract", user: "contract" } }],
      "current-context": "contract",
    });
  }

  /** Kubernetes' own client, to look at what the plugin did and to play the controllers. */
  client(): { core: CoreV1Api; batch: BatchV1Api } {
    const config = new KubeConfig();
    config.loadFromString(this.kubeconfig());
    return { core: config.makeApiClient(CoreV1Api), batch: config.makeApiClient(BatchV1Api) };
  }

  private async ready(): Promise<void> {
    const deadline = Date.now() + 120_000;
    for (;;) {
      try {
        // Made by the API server itself once it has started.
        await this.client().core.readNamespace({ name: "default" });
        return;
      } catch (error) {
        if (Date.now() > deadline) throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }

  private run(binary: string, flags: Record<string, string>): void {
    const log = fs.openSync(this.file(`${path.basename(binary)}.log`), "a");
    const options = Object.entries(flags).map(([name, value]) => `--${name}=${value}`);
    this.processes.push(spawn(binary, options, { stdio: ["ignore", log, log] }));
    fs.closeSync(log);
  }

  private file(name: string): string {
    return path.join(this.directory, name);
  }
}

/** The folders of the rehearsal's own Kubernetes and etcd, built where they are missing. */
export function built(): { kubernetes: string; etcd: string } {
  const output = execFileSync(path.join(root, "rehearsal/kubernetes/build.sh"), [version], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  });
  const kubernetes = output.trimEnd().split("\n").at(-1) ?? "";
  const releases = path.resolve(kubernetes, "../../etcd");
  const etcd = fs.readdirSync(releases).find((name) => fs.existsSync(path.join(releases, name, "bin/etcd")));
  return { kubernetes: path.join(kubernetes, "bin"), etcd: path.join(releases, etcd ?? "", "bin") };
}
