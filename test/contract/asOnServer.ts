import { spawnSync } from "node:child_process";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { built, type KubernetesApi } from "./kubernetesApi";

/** How a script ended. */
export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs scripts as on a server of this API, whose places are in the API's own folder. Made once the API has started. */
export class AsOnServer {
  constructor(private readonly api: KubernetesApi) {
    mkdirSync(this.own("rke2/bin"), { recursive: true });
    symlinkSync(join(built().kubernetes, "kubectl"), this.own("rke2/bin/kubectl"));
    writeFileSync(this.own("kubeconfig.yaml"), api.kubeconfig());
  }

  /** Runs a bare script's text. */
  run(text: string, ...args: string[]): Ended {
    const { port } = new URL(JSON.parse(this.api.kubeconfig()).clusters[0].cluster.server);
    const input = text
      .replace("RKE2_DATA=/var/lib/rancher/rke2", `RKE2_DATA=${this.own("rke2")}`)
      .replace(
        "KUBECONFIG_FILE=/etc/rancher/rke2/rke2.yaml",
        `KUBECONFIG_FILE=${this.own("kubeconfig.yaml")}`,
      )
      .replace("STATE=/var/lib/rke2-upgrade", `STATE=${this.own("state")}`)
      .replaceAll(":6443", `:${port}`);
    const { status, stdout, stderr } = spawnSync("bash", ["-s", "--", ...args], { input, encoding: "utf8" });
    return { code: status, stdout, stderr };
  }

  /** Runs a step's text without its envelope, and without the question whether the API is ready, which wants a server's files. */
  step(text: string, ...args: string[]): Ended {
    const own = text.slice(text.indexOf("# What every step shares")).replace("\napi_ready\n", "\n");
    return this.run(own, ...args);
  }

  private own(name: string): string {
    return join(this.api.directory, name);
  }
}
