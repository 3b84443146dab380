import type * as pulumi from "@pulumi/pulumi";
import { NAMESPACE, parseSettings, SETTING_KEYS, type SecretKey, type Settings } from "../config";

/** What a dynamic provider works with: read from the stack's config when the provider is configured, never stored. */
export interface ProviderContext {
  readonly settings: Settings;
  readonly sshPrivateKey: string;
  readonly proxmoxTokenSecret: string;
  /** The configured one, where there is one. */
  readonly kubeconfig?: string;
}

let context: ProviderContext | undefined;

/** Takes the stack's config from the engine; every provider's `configure`. */
export async function configure(request: pulumi.dynamic.ConfigureRequest): Promise<void> {
  const raw: Record<string, string> = {};
  for (const key of SETTING_KEYS) {
    const text = request.config.get(`${NAMESPACE}:${key}`);
    if (text !== undefined) raw[key] = text;
  }
  const secret = (key: SecretKey) => request.config.require(`${NAMESPACE}:${key}`);
  context = {
    settings: parseSettings(raw),
    sshPrivateKey: secret("sshPrivateKey"),
    proxmoxTokenSecret: secret("proxmoxTokenSecret"),
    kubeconfig: request.config.get(`${NAMESPACE}:kubeconfig`) || undefined,
  };
}

/** The context that {@link configure} left. @throws where the engine did not configure the provider */
export function providerContext(): ProviderContext {
  if (!context)
    throw new Error("the provider was not configured: this needs the engine of the pinned Pulumi");
  return context;
}
