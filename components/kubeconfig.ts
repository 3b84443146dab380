import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { Secrets, Settings } from "../config";
import { readServersKubeconfig } from "../observe/kubeconfig";
import type { Run } from "./step";

/**
 * The cluster's API, for what is made in it. A way back makes none: it must work where no API answers.
 * @param name another than the default for what is made while that one cannot be set up yet
 * @param after whose end it waits for: the provider asks the API once, when it is set up, and takes what it met there for
 *   the whole run. A run that goes forward again from a standstill has no API at first.
 */
export const apiOf = (
  { settings }: Run,
  secrets: Secrets,
  after: pulumi.Resource,
  name = "cluster",
): k8s.Provider =>
  new k8s.Provider(
    name,
    {
      kubeconfig: kubeconfig(settings, secrets.sshPrivateKey, secrets.kubeconfig),
      // What an earlier change left there on purpose is taken over, not stumbled upon.
      upsertExistingObjects: true,
      enablePatchForce: true,
      enableConfigMapMutable: true,
    },
    { dependsOn: [after] },
  );

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
