import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { Secrets, Settings } from "../config";
import { readServersKubeconfig } from "../observe/kubeconfig";
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
    sshPrivateKey.apply((key) =>
      readServersKubeconfig(settings, key).catch((error: Error) => {
        throw new pulumi.RunError(
          `no server hands out its kubeconfig, which the smoke test needs: ${error.message}\nMend that, or set rke2-upgrade:kubeconfig.`,
        );
      }),
    ),
  );
}
