/** Reads Pulumi's own files (Pulumi.yaml, Pulumi.<stack>.yaml) without Pulumi, for the rehearsal and the tests. */
import { readFileSync } from "node:fs";
import { parse } from "yaml";
import type { RawConfig } from "./decode";
import { NAMESPACE } from "./mistakes";
import { SECRET_KEYS } from "./schema";

/** What a stack's file says, as the engine would hand it to a program. */
export interface StackFile {
  /** Keys of one namespace, without it → text; lists and objects as JSON. Encrypted values are left out. */
  readonly values: RawConfig;
  /** Keys whose value is encrypted (`secure: …`), whole or in part. */
  readonly secretKeys: readonly string[];
}

/**
 * One namespace of a stack's file over the defaults that Pulumi.yaml declares for it.
 * @param projectFile path of Pulumi.yaml
 * @param stackFile path of Pulumi.<stack>.yaml
 * @param namespace ours unless told otherwise
 * @throws where a file cannot be read or is no YAML
 */
export function readStackFile(projectFile: string, stackFile: string, namespace = NAMESPACE): StackFile {
  const values: Record<string, string> = {};
  const secretKeys: string[] = [];
  for (const [key, value] of Object.entries(projectDefaults(projectFile, namespace)))
    values[key] = toText(value);
  for (const [key, value] of namespaced(readConfig(stackFile), namespace)) {
    delete values[key];
    if (holdsSecret(value)) secretKeys.push(key);
    else values[key] = toText(value);
  }
  for (const key of SECRET_KEYS) if (values[key] === "") delete values[key];
  return { values, secretKeys };
}

/** The defaults of one namespace in Pulumi.yaml: `default` of our own typed keys, `value` of other namespaces'. */
export function projectDefaults(projectFile: string, namespace = NAMESPACE): Record<string, unknown> {
  const defaults: Record<string, unknown> = {};
  for (const [key, declaration] of namespaced(readConfig(projectFile), namespace)) {
    if (!isObject(declaration)) defaults[key] = declaration;
    else if (declaration.default !== undefined) defaults[key] = declaration.default;
    else if (declaration.value !== undefined) defaults[key] = declaration.value;
  }
  return defaults;
}

function readConfig(file: string): Record<string, unknown> {
  const document: unknown = parse(readFileSync(file, "utf8"));
  return isObject(document) && isObject(document.config) ? document.config : {};
}

/** The entries of one namespace, without it. A key without a namespace is the project's own, as in Pulumi. */
function namespaced(config: Record<string, unknown>, namespace: string): [string, unknown][] {
  return Object.entries(config).flatMap(([key, value]): [string, unknown][] => {
    const [space, name] = key.includes(":") ? key.split(/:(?:config:)?/, 2) : [NAMESPACE, key];
    return space === namespace && name ? [[name, value]] : [];
  });
}

/** True where the value is encrypted or holds something that is: Pulumi writes `secure: <ciphertext>`. */
function holdsSecret(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(holdsSecret);
  if (!isObject(value)) return false;
  const keys = Object.keys(value);
  return (keys.length === 1 && keys[0] === "secure") || Object.values(value).some(holdsSecret);
}

function toText(value: unknown): string {
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
