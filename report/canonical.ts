/** One text for one value, and its digest: what records are compared by. */
import { hash } from "node:crypto";

/** SHA-256 as hexadecimal digits. */
export const digestOf = (data: string | Buffer): string => hash("sha256", data);

/** JSON with every object's keys sorted, so that equal values are equal texts. */
export const canonical = (value: unknown): string => JSON.stringify(sorted(value));

/** As it is written to a file: sorted by nothing but the writer's order, two spaces, a newline at the end. */
export const asFile = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).filter(([, inner]) => inner !== undefined);
  return Object.fromEntries(
    entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, inner]) => [key, sorted(inner)]),
  );
}
