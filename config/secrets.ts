/** Judges the stack's secrets: present, encrypted, of the right form. No message ever holds a value. */
import { utils } from "ssh2";
import { proxmoxTokenSecret } from "./formats";
import { type Mistake, NAMESPACE } from "./mistakes";
import type { SecretKey } from "./schema";

/** A secret as the engine hands it over. */
export interface GivenSecret {
  readonly text: string;
  /** Whether the stack's file holds it encrypted. */
  readonly encrypted: boolean;
}

interface SecretRule {
  readonly required: boolean;
  readonly allowed: string;
  /** The command that sets it, without the value on its command line. */
  readonly next: string;
  /** What is wrong with the text, without quoting any of it. */
  fault(text: string): string | undefined;
}

const set = (key: SecretKey, input = "") => `pulumi config set --secret ${NAMESPACE}:${key}${input}`;

const rules: Record<SecretKey, SecretRule> = {
  sshPrivateKey: {
    required: true,
    allowed: "an SSH private key without a passphrase, encrypted by Pulumi",
    next: set("sshPrivateKey", " < ~/.ssh/id_ed25519"),
    fault: sshPrivateKeyFault,
  },
  proxmoxTokenSecret: {
    required: true,
    allowed: "the API token's secret as Proxmox showed it once, a UUID, encrypted by Pulumi",
    next: `${set("proxmoxTokenSecret")}   (it asks for the value)`,
    fault: (text) => {
      if (proxmoxTokenSecret.test(text.trim())) return undefined;
      return text.includes("=")
        ? "a whole token: only the part after = belongs here, the part before it in proxmox.tokenId"
        : "a text that is no UUID";
    },
  },
  kubeconfig: {
    required: false,
    allowed: "a kubeconfig whose server this machine can reach, encrypted by Pulumi; or nothing",
    next: set("kubeconfig", " < kubeconfig.yaml"),
    fault: (text) => {
      if (!/^\s*clusters:/m.test(text)) return "a text that is no kubeconfig (it has no clusters)";
      return /^\s*server:\s*["']?https:\/\/(127\.|localhost|\[::1\])/m.test(text)
        ? "a copy of a node's rke2.yaml: its server is 127.0.0.1, which here is this machine"
        : undefined;
    },
  },
};

/** Every mistake in the secrets that were given, and every required one that was not. */
export function judgeSecrets(given: Partial<Record<SecretKey, GivenSecret>>): Mistake[] {
  return (Object.keys(rules) as SecretKey[]).flatMap((key): Mistake[] => {
    const { required, allowed, next, fault } = rules[key];
    const secret = given[key];
    if (!secret) return required ? [{ path: key, found: "nothing", allowed, next }] : [];
    if (!secret.encrypted) {
      const why = "it stands in clear in the stack's file and in its history: replace it, do not reuse it";
      return [{ path: key, found: "a secret in clear text (not shown)", allowed, why, next }];
    }
    const found = fault(secret.text);
    return found ? [{ path: key, found, allowed, next }] : [];
  });
}

function sshPrivateKeyFault(text: string): string | undefined {
  const parsed = utils.parseKey(text);
  if (parsed instanceof Error) {
    return /encrypted|passphrase/i.test(parsed.message)
      ? "a key that is encrypted with a passphrase, which nobody could type"
      : "a text that is no SSH private key";
  }
  const key = Array.isArray(parsed) ? parsed[0] : parsed;
  return key?.isPrivateKey() ? undefined : "a public key";
}
