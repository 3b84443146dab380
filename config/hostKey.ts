/** SSH host keys as they are pinned: `<algorithm> <base64>`, the form of authorized_keys without a comment. */
import { utils } from "ssh2";

/** The algorithms of host keys that can be pinned. DSA and security-key types are no host keys. */
export const HOST_KEY_ALGORITHMS = [
  "ecdsa-sha2-nistp256",
  "ecdsa-sha2-nistp384",
  "ecdsa-sha2-nistp521",
  "ssh-ed25519",
] as const;

/**
 * What is wrong with a host key, in words for the operator.
 * @returns undefined where it is a key that can be pinned.
 */
export function hostKeyFault(text: string): string | undefined {
  const [algorithm = "", blob = "", ...rest] = text.split(" ");
  if (/replace/i.test(text)) return "this is the placeholder of Pulumi.lab.yaml";
  if (algorithm === "ssh-rsa") {
    // golang.org/x/crypto/ssh names the key's type, SHA-1 with RSA, which OpenSSH refuses since 8.8, or prefers ECDSA.
    return "an RSA key cannot be pinned: Pulumi's SSH client would be refused, or be shown another key; pin the node's ECDSA key (docs/config.md#hostkey)";
  }
  if (!(HOST_KEY_ALGORITHMS as readonly string[]).includes(algorithm)) {
    return "it does not start with a known algorithm (a line of ssh-keyscan starts with the host: leave that out)";
  }
  if (rest.length > 0) return "something follows the key (leave comments out)";
  const bytes = Buffer.from(blob, "base64");
  if (blob === "" || bytes.toString("base64") !== blob) return "its second word is not base64";
  const named = algorithmInside(bytes);
  if (named !== algorithm) return `the key inside is of another algorithm (${named ?? "none"})`;
  const parsed = utils.parseKey(text);
  return parsed instanceof Error ? "the key inside is malformed or cut short" : undefined;
}

/** The algorithm that a key names itself: a length of four bytes, then that many letters (RFC 4253, 6.6). */
function algorithmInside(key: Buffer): string | undefined {
  if (key.length < 4) return undefined;
  const length = key.readUInt32BE(0);
  const name = key.subarray(4, 4 + length).toString("latin1");
  return name.length === length && /^[a-z0-9-]+$/.test(name) ? name : undefined;
}
