/** From Pulumi's texts to values, before anything is judged. */
import { z } from "zod";
import { hints } from "./hints";
import { type Mistake, showValue } from "./mistakes";
import { SECRET_KEYS } from "./schema";
import { schemaAt, unwrap } from "./schemaPath";

/** A stack's raw config: key below our namespace → text; lists and objects as JSON, as Pulumi keeps them. */
export type RawConfig = Readonly<Record<string, string>>;

/** Texts to values: lists and objects are JSON; an empty text or object is the same as an absent key. */
export function decode(raw: RawConfig): { value: Record<string, unknown>; mistakes: Mistake[] } {
  const value: Record<string, unknown> = {};
  const mistakes: Mistake[] = [];
  for (const [key, text] of Object.entries(raw)) {
    if ((SECRET_KEYS as readonly string[]).includes(key) || text === "") continue;
    const schema = schemaAt([key]);
    if (!(schema instanceof z.ZodObject || schema instanceof z.ZodArray)) {
      value[key] = text;
      continue;
    }
    try {
      const decoded: unknown = JSON.parse(text);
      if (!isEmptyObject(decoded)) value[key] = decoded;
    } catch {
      const kind = schema instanceof z.ZodArray ? "a list" : "an object";
      mistakes.push({
        path: key,
        found: showValue(text),
        allowed: hints.get(schema)?.allowed ?? kind,
        next: `write ${kind} into the stack's file as YAML, or set its parts with pulumi config set --path`,
      });
    }
  }
  return { value, mistakes };
}

/** The valid parts of a value, defaults filled in; what is misshapen is left out. */
export function prune(schema: z.ZodType, value: unknown): unknown {
  const inner = unwrap(schema);
  if (inner instanceof z.ZodArray && Array.isArray(value)) {
    return value.map((item) => prune(inner.element as z.ZodType, item));
  }
  if (inner instanceof z.ZodObject) {
    const parts: Record<string, unknown> = isObject(value) ? value : {};
    const fields = Object.entries(inner.shape as Record<string, z.ZodType>);
    return Object.fromEntries(fields.map(([key, field]) => [key, prune(field, parts[key])]));
  }
  return schema.safeParse(value).data;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isEmptyObject(value: unknown): boolean {
  return isObject(value) && Object.keys(value).length === 0;
}
