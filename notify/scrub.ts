/** Takes secrets out of a text: what servers and libraries say goes into records that others read. Pure. */

/** @returns a function that replaces each secret, also as base64 or in a URL, with ‹secret› */
export function scrubber(secrets: readonly string[], user = ""): (text: string) => string {
  const forms = secrets
    .filter((secret) => secret.length > 0)
    .flatMap((secret) => [
      secret,
      encodeURIComponent(secret),
      base64(secret),
      // As SMTP sends a log-in (RFC 4616).
      base64(`\0${user}\0${secret}`),
    ]);
  // The longest first: one may be part of another.
  const sorted = [...new Set(forms)].sort((a, b) => b.length - a.length);
  return (text) => sorted.reduce((left, form) => left.replaceAll(form, "‹secret›"), text);
}

const base64 = (text: string): string => Buffer.from(text, "utf8").toString("base64");
