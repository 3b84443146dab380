/** Tells by mail. */
import { basename, join } from "node:path";
import nodemailer from "nodemailer";
import type { Settings } from "../config";
import { type Channel, type Message, Refused } from "./message";

type Config = NonNullable<Settings["notifications"]["smtp"]>;

/** By how TLS begins (RFC 6409, RFC 8314). */
const PORTS: Record<Config["tls"], number> = { starttls: 587, implicit: 465, none: 25 };

/** A server that says nothing for so long is gone, milliseconds. */
const SILENCE_MS = 10_000;

/** @param directory the change's folder, which attachments lie in */
export function smtp(config: Config, password: string | undefined, directory: string): Channel {
  const { host, tls, port = PORTS[tls], user, caCertificate } = config;
  const options = {
    host,
    port,
    secure: tls === "implicit",
    requireTLS: tls === "starttls",
    ignoreTLS: tls === "none",
    ...(caCertificate && { tls: { ca: caCertificate } }),
    ...(user && { auth: { user, pass: password ?? "" } }),
    connectionTimeout: SILENCE_MS,
    greetingTimeout: SILENCE_MS,
    socketTimeout: SILENCE_MS,
    disableUrlAccess: true,
  };
  return {
    name: "smtp",
    async deliver(message, signal) {
      const transport = nodemailer.createTransport(options);
      const close = () => transport.close();
      signal.addEventListener("abort", close, { once: true });
      try {
        const { rejected } = await transport.sendMail(mailOf(message, config.from, directory));
        return rejected.length > 0 ? `not taken for ${rejected.map(String).join(", ")}` : undefined;
      } catch (error) {
        throw isRefusal(error) ? new Refused((error as Error).message) : error;
      } finally {
        signal.removeEventListener("abort", close);
        transport.close();
      }
    },
  };
}

/** The server was there and will never take this mail: a permanent answer (RFC 5321 §4.2.1) to sender, recipient or data. */
function isRefusal(error: unknown): boolean {
  const { code, responseCode = 0 } = error as { code?: string; responseCode?: number };
  return (code === "EENVELOPE" || code === "EMESSAGE") && responseCode >= 500;
}

function mailOf(message: Message, from: string, directory: string) {
  const domain = from.slice(from.lastIndexOf("@") + 1);
  return {
    from: { name: "rke2-upgrade", address: from },
    to: [...(message.to ?? [])],
    subject: message.subject,
    text: message.text,
    date: new Date(message.at),
    messageId: `<${message.id}@${domain}>`,
    // All mails of a change stand together.
    references: `<${message.changeId}.rke2-upgrade@${domain}>`,
    // RFC 3834: no out-of-office answers.
    headers: { "Auto-Submitted": "auto-generated" },
    attachments: (message.files ?? []).map((file) => ({
      filename: `${message.changeId}-${basename(file)}`,
      path: join(directory, file),
    })),
    ...(message.calendar && {
      icalEvent: { method: "PUBLISH", filename: "window.ics", path: join(directory, message.calendar) },
    }),
  };
}
