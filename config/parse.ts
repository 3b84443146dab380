/** From the raw config of a stack (texts, as Pulumi hands them over) to `Settings`, or to every mistake at once. */
import { z } from "zod";
import { ConfigError, formatPath, type Mistake, NAMESPACE, showValue } from "./mistakes";
import { type Draft, judgeSettings } from "./rules";
import {
  type Hint,
  hints,
  type ParsedSettings,
  SECRET_KEYS,
  schemaAt,
  settingsSchema,
  unwrap,
} from "./schema";
import type { ClusterNode, Settings } from "./settings";
import { didYouMean } from "./suggest";

/** A stack's raw config: key below our namespace → text; lists and objects as JSON, as Pulumi keeps them. */
export type RawConfig = Readonly<Record<string, string>>;

export interface ParseOptions {
  /** Top-level keys that the stack holds encrypted: their values are shown in no message. */
  readonly hidden?: ReadonlySet<string>;
  /** Mistakes found elsewhere, so that all are told together. */
  readonly more?: readonly Mistake[];
}

/**
 * Reads and validates a stack's config. Pure.
 * @param raw keys without the namespace; secrets are left out (they have a judge of their own, secrets.ts)
 * @throws ConfigError with every mistake
 */
export function parseSettings(raw: RawConfig, { hidden, more = [] }: ParseOptions = {}): Settings {
  const { value, mistakes: unreadable } = decode(raw);
  const result = settingsSchema.safeParse(value);
  const misshapen = result.success ? [] : result.error.issues.flatMap((issue) => toMistakes(issue, value));
  const broken = new Set(unreadable.map((mistake) => mistake.path));
  const shape = [...unreadable, ...misshapen.filter((mistake) => !broken.has(mistake.path))];
  const rules = judgeSettings(prune(settingsSchema, value) as Draft);
  const seen = new Set(shape.map((mistake) => mistake.path));
  const told = [...shape, ...rules.filter((mistake) => !seen.has(mistake.path))];
  const mistakes = [...told.map((mistake) => hide(mistake, hidden)), ...more];
  if (mistakes.length > 0 || !result.success) throw new ConfigError(mistakes);
  return toSettings(result.data);
}

function hide(mistake: Mistake, hidden?: ReadonlySet<string>): Mistake {
  const key = mistake.path.split(/[.[]/, 1)[0] ?? "";
  return hidden?.has(key) ? { ...mistake, found: "an encrypted value (not shown)" } : mistake;
}

/** Texts to values: lists and objects are JSON; an empty text or object is the same as an absent key. */
function decode(raw: RawConfig): { value: Record<string, unknown>; mistakes: Mistake[] } {
  const value: Record<string, unknown> = {};
  const mistakes: Mistake[] = [];
  for (const [key, text] of Object.entries(raw)) {
    if ((SECRET_KEYS as readonly string[]).includes(key) || text === "") continue;
    const schema = schemaAt([key]);
    if (
      !(schema instanceof z.ZodObject || schema instanceof z.ZodArray || schema instanceof z.ZodUndefined)
    ) {
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
function prune(schema: z.ZodType, value: unknown): unknown {
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

function toMistakes(issue: z.core.$ZodIssue, value: unknown): Mistake[] {
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => unknownKey([...issue.path, key]));
  }
  const schema = schemaAt(issue.path);
  const hint: Hint = (schema && hints.get(schema)) ?? { allowed: issue.message };
  const reason = issue.code === "custom" && issue.message !== "Invalid input" ? issue.message : hint.why;
  const path = formatPath(issue.path);
  const next = hint.next?.(path, valueAt(value, issue.path.slice(0, -1)));
  return [{ ...hint, path, found: showValue(valueAt(value, issue.path)), why: reason, next }];
}

/** A key that nobody knows: refused, since a misspelt limit would otherwise silently be the default. */
function unknownKey(path: readonly PropertyKey[]): Mistake {
  const schema = schemaAt(path.slice(0, -1));
  const known = schema instanceof z.ZodObject ? Object.keys(schema.shape) : [];
  const all = path.length === 1 ? [...known, ...SECRET_KEYS] : known;
  const meant = didYouMean(String(path.at(-1)), all);
  const nested = path.length > 1 ? "--path " : "";
  return {
    path: formatPath(path),
    found: "an unknown key",
    allowed: meant ? `did you mean ${meant}?` : all.join(", "),
    next: `pulumi config rm ${nested}'${NAMESPACE}:${formatPath(path)}'`,
  };
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((inner, part) => (inner as Record<PropertyKey, unknown> | null)?.[part], value);
}

function toSettings(parsed: ParsedSettings): Settings {
  const nodes = parsed.nodes.map(
    (node): ClusterNode => ({
      ...node,
      user: node.user ?? parsed.ssh.user,
      port: node.port ?? parsed.ssh.port,
    }),
  );
  const { goBack: _, ...rest } = parsed;
  return {
    ...rest,
    nodes,
    servers: nodes.filter((node) => node.role === "server"),
    agents: nodes.filter((node) => node.role === "agent"),
  };
}
