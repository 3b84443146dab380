/** From the raw config of a stack (texts, as Pulumi hands them over) to `Settings`, or to every mistake at once. */
import { z } from "zod";
import { decode, prune, type RawConfig } from "./decode";
import { type Hint, hints } from "./hints";
import { ConfigError, formatPath, type Mistake, NAMESPACE, showValue } from "./mistakes";
import { rancherOf, rancherOperators } from "./rancher";
import { type Draft, judgeSettings } from "./rules";
import { type ParsedSettings, SECRET_KEYS, settingsSchema } from "./schema";
import { schemaAt } from "./schemaPath";
import type { ClusterNode, Settings } from "./settings";
import { didYouMean } from "./suggest";

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
      internalIp: node.internalIp ?? node.address,
    }),
  );
  return {
    ...parsed,
    nodes,
    servers: nodes.filter((node) => node.role === "server"),
    agents: nodes.filter((node) => node.role === "agent"),
    waves: parsed.agents,
    operators: [...rancherOperators(parsed.rancher, parsed.rancherVersion), ...parsed.operators],
    rancher: rancherOf(parsed.rancher, parsed.rancherVersion),
  };
}
