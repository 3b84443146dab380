/** The one place where config meets Pulumi: what the engine hands over becomes `Settings` and secret outputs. */
import type { Output } from "@pulumi/pulumi";
// Its config alone: the rest of the SDK takes most of a second to load, in every command of the change record.
import { Config } from "@pulumi/pulumi/config";
import * as runtime from "@pulumi/pulumi/runtime/config";
import { decode } from "./decode";
import { type Mistake, NAMESPACE } from "./mistakes";
import { parseSettings } from "./parse";
import { SECRET_KEYS, type SecretKey } from "./schema";
import { type GivenSecret, judgeSecrets, wantedSecrets } from "./secrets";
import type { Settings } from "./settings";

/** The stack's secrets, as outputs that stay secret wherever they go. */
export interface Secrets {
  readonly sshPrivateKey: Output<string>;
  readonly proxmoxTokenSecret: Output<string>;
  /** Undefined where the program is to read the kubeconfig from a server. */
  readonly kubeconfig?: Output<string>;
}

/**
 * Reads the stack's config.
 * @param all every key of the stack, `namespace:key` → text, as the engine hands it over. (`Config` cannot list
 *   keys, so a misspelt one would go unseen.)
 * @throws ConfigError with every mistake; whoever runs the program turns it into a RunError
 */
export function loadSettings(all: Readonly<Record<string, string>> = runtime.allConfig()): {
  settings: Settings;
  secrets: Secrets;
} {
  const raw: Record<string, string> = {};
  const given: Partial<Record<SecretKey, GivenSecret>> = {};
  const encrypted = new Set<string>();
  for (const [fullKey, text] of Object.entries(all)) {
    if (!fullKey.startsWith(`${NAMESPACE}:`)) continue;
    const key = fullKey.slice(NAMESPACE.length + 1);
    if (isEncrypted(fullKey)) encrypted.add(key);
    if (!isSecretKey(key)) raw[key] = text;
    else if (text !== "") given[key] = { text, encrypted: encrypted.has(key) };
  }
  const wanted = wantedSecrets(decode(raw).value.notifications);
  const more = [
    ...judgeSecrets(given, wanted),
    ...["operators", "rancher"].filter((key) => encrypted.has(key)).map(secretValues),
  ];
  const settings = parseSettings(raw, { hidden: encrypted, more });
  const config = new Config(NAMESPACE);
  return {
    settings,
    secrets: {
      sshPrivateKey: config.requireSecret("sshPrivateKey"),
      proxmoxTokenSecret: config.requireSecret("proxmoxTokenSecret"),
      kubeconfig: given.kubeconfig && config.requireSecret("kubeconfig"),
    },
  };
}

/** A chart's values go to the release, to preview and to the state: none of them is a place for a secret. */
const secretValues = (path: string): Mistake => ({
  path,
  found: "an encrypted value (not shown)",
  allowed: "no secret here: values stand in clear in previews, in the state and in the release",
  next: "keep it in a Secret in the cluster and have the values name that, as most charts allow; then set the key anew without --secret",
});

function isSecretKey(key: string): key is SecretKey {
  return (SECRET_KEYS as readonly string[]).includes(key);
}

/** Whether the stack's file holds the key encrypted. The SDK exports the question but leaves it out of its types. */
function isEncrypted(fullKey: string): boolean {
  return (runtime as unknown as { isConfigSecret(key: string): boolean }).isConfigSecret(fullKey);
}
