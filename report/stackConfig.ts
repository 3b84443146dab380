/** A stack's config as the record needs it: the settings, and a digest of every key. */
import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { isMap, parse, parseDocument } from "yaml";
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

/** What comes after the plan that it is for, by its key. */
const AFTER_THE_PLAN: Readonly<Record<string, readonly string[]>> = {
  approval: ["changeId", "approver", "digest"],
  signOff: ["changeId", "by", "at"],
};

/**
 * The config's text without approval and sign-off. The engine gives the whole config to the program's own provider, whose inputs
 * a plan holds: with the approval in it, approving a plan would change it, and so would signing an upgrade off.
 */
export function withoutApproval(text: string): string {
  const document = parseDocument(text);
  for (const [key, parts] of Object.entries(AFTER_THE_PLAN)) {
    const path = ["config", `${NAMESPACE}:${key}`];
    for (const part of parts.filter((part) => document.hasIn([...path, part])))
      document.deleteIn([...path, part]);
    const left = document.getIn(path);
    if (isMap(left) && left.items.length === 0) document.deleteIn(path);
  }
  return document.toString({ lineWidth: 0 });
}

/** Does something with a config file that has neither in it. The file is there for that time alone. */
export async function withPlannedConfig<T>(
  file: string,
  action: (planned: string) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "rke2-config-"));
  try {
    const planned = join(folder, basename(file));
    await writeFile(planned, withoutApproval(readFileSync(file, "utf8")), { mode: 0o600 });
    return await action(planned);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * The digest of every key. What comes after the plan that it is for is left out: an approval, but not who may sign one;
 * a sign-off, but not whether it is required.
 * @param text of the stack's file
 */
export function configKeys(text: string): Record<string, string> {
  const config: Record<string, unknown> = parse(text)?.config ?? {};
  const digests = Object.entries(config).flatMap(([key, value]): [string, string][] => {
    const after = key.startsWith(`${NAMESPACE}:`) && AFTER_THE_PLAN[key.slice(NAMESPACE.length + 1)];
    if (!after) return [[key, digestOf(canonical(value))]];
    return Object.entries((value ?? {}) as object)
      .filter(([part]) => !after.includes(part))
      .map(([part, one]): [string, string] => [`${key}.${part}`, digestOf(canonical(one))]);
  });
  return Object.fromEntries(digests.sort(([a], [b]) => (a < b ? -1 : 1)));
}
