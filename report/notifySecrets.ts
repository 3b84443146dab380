/** The secrets of the channels that are set, decrypted by Pulumi, for this process's memory alone. */
import { join } from "node:path";
import { judgeSecrets, type SecretKey, type Settings, wantedSecrets } from "../config";
import { ConfigError } from "../config/mistakes";
import type { GivenSecret } from "../config/secrets";
import { readStackFile } from "../config/stackFile";
import type { ChannelSecrets } from "../notify/channels";
import { projectDirectory } from "./program";
import { type StackChoice, stackSecret } from "./pulumi";

/** Each secret that a channel wants, or why it cannot be had: a run tells that and goes on. */
export async function channelSecrets(
  { notifications }: Pick<Settings, "notifications">,
  choice: StackChoice,
): Promise<ChannelSecrets> {
  const wanted = Object.keys(wantedSecrets(notifications)) as SecretKey[];
  const { secretKeys } = readStackFile(join(projectDirectory, "Pulumi.yaml"), choice.configFile);
  const optional = notifications.glpi && secretKeys.includes("glpiAppToken") ? ["glpiAppToken" as const] : [];
  const keys = [...wanted, ...optional].filter((key) => secretKeys.includes(key));
  const read: [SecretKey, string | Error][] = [];
  for (const key of keys) {
    const secret = await stackSecret(key, choice);
    // A file that was piped in ends in a line's end, which no header may hold.
    read.push([key, secret?.trim() ?? new Error(`${key}: pulumi config get does not give it`)]);
  }
  return Object.fromEntries(read);
}

/** @throws ConfigError with every secret that is missing, in clear or misshapen: for commands whose whole work it is */
export async function soundSecrets(
  settings: Pick<Settings, "notifications">,
  choice: StackChoice,
): Promise<ChannelSecrets> {
  const secrets = await channelSecrets(settings, choice);
  const given: Partial<Record<SecretKey, GivenSecret>> = {};
  for (const [key, text] of Object.entries(secrets) as [SecretKey, string | Error][]) {
    if (text instanceof Error) throw text;
    given[key] = { text, encrypted: true };
  }
  const { values } = readStackFile(join(projectDirectory, "Pulumi.yaml"), choice.configFile);
  const wanted = wantedSecrets(settings.notifications);
  for (const key of Object.keys(wanted) as SecretKey[]) {
    const text = values[key];
    if (text) given[key] = { text, encrypted: false };
  }
  // What the cluster takes is no business of this command.
  const ours = [...Object.keys(wanted), "glpiAppToken"];
  const mistakes = judgeSecrets(given, wanted).filter(({ path }) => ours.includes(path));
  if (mistakes.length > 0) throw new ConfigError(mistakes);
  return secrets;
}
