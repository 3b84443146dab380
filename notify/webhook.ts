/**
 * Tells a webhook, signed as Standard Webhooks has it (standardwebhooks.com): `webhook-id`, `webhook-timestamp` in
 * seconds, and `webhook-signature`, `v1,` and the base64 of HMAC-SHA256 over `id.timestamp.body`. So a receiver verifies
 * with a library that exists, and drops repeats by `webhook-id`.
 */
import { createHmac } from "node:crypto";
import type { Settings } from "../config";
import { asker } from "./http";
import { type Channel, type Message, Refused } from "./message";

type Config = NonNullable<Settings["notifications"]["webhook"]>;

/** Statuses that say that this very message is wrong, whenever it comes: bad request, gone, too large, unprocessable. */
const HOPELESS = [400, 410, 413, 422];

/** @param secret `whsec_` and base64 */
export function webhook({ url, caCertificate }: Config, secret: string): Channel {
  const ask = asker(caCertificate);
  return {
    name: "webhook",
    async deliver(message, signal) {
      const body = bodyOf(message);
      const seconds = Math.floor(Date.now() / 1000);
      const headers = {
        "content-type": "application/json",
        "user-agent": "rke2-upgrade",
        "webhook-id": message.id,
        "webhook-timestamp": String(seconds),
        "webhook-signature": signature(secret, message.id, seconds, body),
      };
      const { status, text } = await ask(url, { method: "POST", headers, body }, signal);
      if (200 <= status && status < 300) return undefined;
      const said = `it answered ${status}${text.trim() ? `: ${text.trim().slice(0, 200)}` : ""}`;
      throw HOPELESS.includes(status) ? new Refused(said) : new Error(said);
    },
  };
}

/** The body, for programs. */
const bodyOf = ({ id, kind, at, changeId, node, subject, text, window }: Message): string =>
  JSON.stringify({ id, kind, at, changeId, node, subject, text, window });

/** The signature of a body. */
export function signature(secret: string, id: string, seconds: number, body: string): string {
  const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
  return `v1,${createHmac("sha256", key).update(`${id}.${seconds}.${body}`).digest("base64")}`;
}
