import { hash, X509Certificate } from "node:crypto";
import type { Settings } from "../config";
import { askFirst } from "./firstServer";
import { withNode } from "./ssh";

/**
 * The kubeconfig of the first server that answers, with the cluster's own address in place of that server's. A secret.
 * @throws with every server's reason where none does
 */
export const readServersKubeconfig = (
  { servers, apiAddress }: Pick<Settings, "servers" | "apiAddress">,
  privateKey: string,
): Promise<string> =>
  askFirst(servers, async (server) => {
    const { code, stdout, stderr } = await withNode(server, privateKey, (session) =>
      session.exec("sudo -n cat /etc/rancher/rke2/rke2.yaml"),
    );
    if (code !== 0) throw new Error(`${server.name}: ${stderr.trim()}`);
    return stdout.replace(/https:\/\/127\.0\.0\.1:6443/g, `https://${apiAddress}:6443`);
  });

/** What of a kubeconfig can be told: nothing of it lets anybody in. */
export interface KubeconfigFacts {
  /** SHA-256 of its CA's PEM text, as look-node.sh takes it of rke2.yaml. */
  readonly caSha256: string;
  /** When its client certificate ends; undefined where it has none (a token, say). */
  readonly expires?: Date;
}

/** Reads the CA and the client certificate that stand inside a kubeconfig; of several, the first. */
export function readKubeconfig(text: string): KubeconfigFacts {
  const data = (key: string) =>
    Buffer.from(new RegExp(`${key}:\\s*"?([A-Za-z0-9+/=]+)`).exec(text)?.[1] ?? "", "base64");
  const client = data("client-certificate-data");
  return {
    caSha256: hash("sha256", data("certificate-authority-data")),
    expires: client.length > 0 ? new Date(new X509Certificate(client).validTo) : undefined,
  };
}
