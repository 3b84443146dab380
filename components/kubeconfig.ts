import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { Secrets, Settings } from "../config";
import { withNode } from "../observe";
import type { Run } from "./step";

/** The cluster's API, for what is made in it. A way back makes none: it must work where no API answers. */
export const apiOf = ({ settings }: Run, secrets: Secrets): k8s.Provider =>
  new k8s.Provider("cluster", {
    kubeconfig: kubeconfig(settings, secrets.sshPrivateKey, secrets.kubeconfig),
    // What an earlier change left there on purpose is taken over, not stumbled upon.
    upsertExistingObjects: true,
    enablePatchForce: true,
    enableConfigMapMutable: true,
  });

/**
 * The kubeconfig for what is created in the cluster: from config, else read from the first server that answers, with
 * the cluster's own address in place of that server's. Secret either way.
 *
 * Unknown in a preview where no server answers; an error in `up`, which could not go on anyway.
 */
function kubeconfig(
  settings: Settings,
  sshPrivateKey: pulumi.Output<string>,
  configured: pulumi.Output<string> | undefined,
): pulumi.Output<string> {
  if (configured) return configured;
  return pulumi.secret(
    sshPrivateKey.apply(async (key) => {
      const reasons: string[] = [];
      for (const server of settings.servers) {
        try {
          return await readFrom(server, key, settings.apiAddress);
        } catch (error) {
          reasons.push(error instanceof Error ? error.message : String(error));
        }
      }
      throw new pulumi.RunError(
        `no server hands out its kubeconfig, which the smoke test needs:\n${reasons.join("\n")}\nMend that, or set rke2-upgrade:kubeconfig.`,
      );
    }),
  );
}

async function readFrom(
  server: Settings["servers"][number],
  key: string,
  apiAddress: string,
): Promise<string> {
  const { code, stdout, stderr } = await withNode(server, key, (session) =>
    session.exec("sudo -n cat /etc/rancher/rke2/rke2.yaml"),
  );
  if (code !== 0) throw new Error(`${server.name}: ${stderr.trim()}`);
  return stdout.replace(/https:\/\/127\.0\.0\.1:6443/g, `https://${apiAddress}:6443`);
}
