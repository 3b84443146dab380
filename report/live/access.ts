/**
 * How the watch gets into the cluster's API: by the kubeconfig that the program itself would use, the configured one, else
 * a server's own, read over SSH. What is secret stays in this process's memory: it is written nowhere and told to nobody.
 */
import { request } from "node:https";
import type { Settings } from "../../config";
import { readServersKubeconfig } from "../../observe/kubeconfig";
import { type StackChoice, stackSecret } from "../pulumi";

/** What a client proves itself and the server with. */
export interface Access {
  readonly ca?: string | Buffer;
  readonly cert?: string | Buffer;
  readonly key?: string | Buffer;
  readonly headers: Record<string, string>;
}

/** What was answered, whatever it was. */
export interface Answer {
  readonly status: number;
  readonly body: string;
}

/** Where the API is asked. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** A name that every API server's certificate holds, by whichever address it is reached (kubeadm and RKE2 alike). */
const SERVER_NAME = "kubernetes.default.svc";

/** More than this is not read: a list of pods of a very large cluster is not worth the watch's memory. */
const MOST_BYTES = 64 * 1024 * 1024;

/** The cluster's credentials. @throws where neither the config nor a server has a kubeconfig */
export async function accessTo(settings: Settings, stack: StackChoice): Promise<Access> {
  const configured = await stackSecret("kubeconfig", stack);
  if (configured !== undefined) return accessBy(configured);
  const privateKey = await stackSecret("sshPrivateKey", stack);
  if (privateKey === undefined) throw new Error("pulumi config get does not give sshPrivateKey");
  return accessBy(await readServersKubeconfig(settings, privateKey));
}

/** The credentials that a kubeconfig holds. */
export async function accessBy(text: string): Promise<Access> {
  // Here and not above: it takes a second to load, and the run does not wait for it.
  const { KubeConfig } = await import("@kubernetes/client-node");
  const kubeconfig = new KubeConfig();
  kubeconfig.loadFromString(text);
  const options: { ca?: string; cert?: string; key?: string; headers: Record<string, string> } = {
    headers: {},
  };
  await kubeconfig.applyToHTTPSOptions(options);
  const { ca, cert, key, headers } = options;
  return { ca, cert, key, headers };
}

/**
 * Asks the API once, on a connection of its own, as a new client would. The server proves itself by the cluster's CA.
 * @throws where no answer came before `signal`
 */
export function ask(address: Address, path: string, access: Access, signal: AbortSignal): Promise<Answer> {
  const { headers, ...tls } = access;
  const options = { ...address, path, ...tls, headers, servername: SERVER_NAME, agent: false, signal };
  return new Promise((resolve, reject) => {
    const asked = request(options, (response) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      response.on("data", (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > MOST_BYTES) asked.destroy(new Error(`an answer of over ${MOST_BYTES} bytes`));
        else chunks.push(chunk);
      });
      response.on("error", reject);
      response.on("end", () =>
        resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() }),
      );
    });
    asked.on("error", reject);
    asked.end();
  });
}
