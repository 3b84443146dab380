/** A stack's config as the record needs it: the settings, and a digest of every key. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { NAMESPACE, parseSettings, type Settings } from "../config";
import { readStackFile } from "../config/stackFile";
import { canonical, digestOf } from "./canonical";
import { projectDirectory } from "./program";

/** A stack's config. */
export interface StackConfig {
  readonly file: string;
  readonly settings: Settings;
  /** Digest by key. Of what is encrypted the ciphertext's. */
  readonly keys: Record<string, string>;
}

/** Reads `Pulumi.<stack>.yaml`. @throws ConfigError with every mistake, or where there is no such file */
export function readStack(stack: string, configFile?: string): StackConfig {
  const file = configFile ?? join(projectDirectory, `Pulumi.${stack.split("/").at(-1)}.yaml`);
  if (!existsSync(file)) {
    throw new Error(
      `there is no ${file}. next: run where the stack's config lies, or name it with --config-file`,
    );
  }
  const { values, secretKeys } = readStackFile(join(projectDirectory, "Pulumi.yaml"), file);
  const plain = Object.fromEntries(Object.entries(values).filter(([key]) => !secretKeys.includes(key)));
  return { file, settings: parseSettings(plain), keys: configKeys(readFileSync(file, "utf8")) };
}

/**
 * The digest of every key. An approval comes after the plan that it is for, so it is left out; who may sign one is not.
 * @param text of the stack's file
 */
export function configKeys(text: string): Record<string, string> {
  const config: Record<string, unknown> = parse(text)?.config ?? {};
  const digests = Object.entries(config).flatMap(([key, value]): [string, string][] => {
    if (key !== `${NAMESPACE}:approval`) return [[key, digestOf(canonical(value))]];
    const signers = (value as { allowedSigners?: unknown } | null)?.allowedSigners;
    return signers === undefined ? [] : [[`${key}.allowedSigners`, digestOf(canonical(signers))]];
  });
  return Object.fromEntries(digests.sort(([a], [b]) => (a < b ? -1 : 1)));
}
