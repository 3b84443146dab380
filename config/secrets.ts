/** Judges the stack's secrets: present, encrypted, of the right form. No message ever holds a value. */
import { utils } from "ssh2";
import { isWebhookSecret, proxmoxTokenSecret } from "./formats";
import { type Mistake, NAMESPACE } from "./mistakes";
import type { SecretKey } from "./schema";

/** A secret as the engine hands it over. */
export interface GivenSecret {
  readonly text: string;
  /** Whether the stack's file holds it encrypted. */
  readonly encrypted: boolean;
}

interface SecretRule {
  /** Where it is not, it may still be wanted by another key that is set. */
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
  webhookSecret: {
    required: false,
    allowed: "whsec_ and 24 to 64 random bytes in base64 (standardwebhooks.com), encrypted by Pulumi",
    next: `echo "whsec_$(openssl rand -base64 32)" | ${set("webhookSecret")}   (give the receiver the same)`,
    fault: (text) => (isWebhookSecret(text.trim()) ? undefined : "a text of another form"),
  },
  smtpPassword: {
    required: false,
    allowed: "the password of notifications.smtp.user, encrypted by Pulumi",
    next: `${set("smtpPassword")}   (it asks for the value)`,
    fault: oneWord,
  },
  glpiUserToken: {
    required: false,
    allowed: "the API token of a GLPI user, as its preferences show it, encrypted by Pulumi",
    next: `${set("glpiUserToken")}   (it asks for the value)`,
    fault: oneWord,
  },
  glpiAppToken: {
    required: false,
    allowed: "the application token of GLPI's API client, where it has one, encrypted by Pulumi",
    next: `${set("glpiAppToken")}   (it asks for the value)`,
    fault: oneWord,
  },
};

/** Goes into a header or a log-in as it is. */
function oneWord(text: string): string | undefined {
  return /[\r\n]/.test(text.trim()) ? "a text of several lines" : undefined;
}

/** The secrets that channels of the config take, each with the key that wants it. @param notifications misshapen or not */
export function wantedSecrets(notifications: unknown): Partial<Record<SecretKey, string>> {
  const { webhook, smtp, glpi } = (notifications ?? {}) as Record<string, { user?: unknown } | undefined>;
  return {
    ...(webhook && { webhookSecret: "notifications.webhook" }),
    ...(smtp?.user !== undefined && { smtpPassword: "notifications.smtp.user" }),
    ...(glpi && { glpiUserToken: "notifications.glpi" }),
  };
}

/**
 * Every mistake in the secrets that were given, and every required one that was not.
 * @param wanted those that another key wants
 */
export function judgeSecrets(
  given: Partial<Record<SecretKey, GivenSecret>>,
  wanted: Partial<Record<SecretKey, string>> = {},
): Mistake[] {
  return (Object.keys(rules) as SecretKey[]).flatMap((key): Mistake[] => {
    const { required, allowed, next, fault } = rules[key];
    const secret = given[key];
    if (!secret) {
      const by = wanted[key];
      if (!required && !by) return [];
      return [{ path: key, found: "nothing", allowed, next, ...(by && { why: `${by} is set` }) }];
    }
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
