/** The channels that the config sets, with their secrets. */
import type { SecretKey, Settings } from "../config";
import { glpi } from "./glpi";
import type { Channel } from "./message";
import { scrubber } from "./scrub";
import { smtp } from "./smtp";
import { webhook } from "./webhook";

/** The channels' secrets in clear; what could not be read is an Error that says why. */
export type ChannelSecrets = Partial<Record<SecretKey, string | Error>>;

/** @param directory the change's folder */
export function channelsOf(
  { notifications }: Pick<Settings, "notifications">,
  secrets: ChannelSecrets,
  directory: string,
): Channel[] {
  const { webhook: hook, smtp: mail, glpi: ticket } = notifications;
  return [
    ...(hook ? [needing("webhook", () => webhook(hook, needed(secrets, "webhookSecret")))] : []),
    ...(mail
      ? [
          needing("smtp", () =>
            smtp(mail, mail.user ? needed(secrets, "smtpPassword") : undefined, directory),
          ),
        ]
      : []),
    ...(ticket
      ? [
          needing("glpi", () =>
            glpi(
              ticket,
              {
                userToken: needed(secrets, "glpiUserToken"),
                appToken: secrets.glpiAppToken && needed(secrets, "glpiAppToken"),
              },
              directory,
            ),
          ),
        ]
      : []),
  ];
}

/** What takes these secrets out of a text. */
export const scrubbing = (
  { notifications }: Pick<Settings, "notifications">,
  secrets: ChannelSecrets,
): ((text: string) => string) =>
  scrubber(
    Object.values(secrets).filter((secret) => typeof secret === "string"),
    notifications.smtp?.user,
  );

/** A channel whose secret is missing fails each try and says so: the run it tells of goes on. */
function needing(name: Channel["name"], make: () => Channel): Channel {
  try {
    return make();
  } catch (error) {
    return { name, deliver: () => Promise.reject(error) };
  }
}

function needed(secrets: ChannelSecrets, key: SecretKey): string {
  const secret = secrets[key];
  if (typeof secret === "string") return secret;
  throw secret ?? new Error(`${key} is not set. next: pulumi config set --secret rke2-upgrade:${key}`);
}
