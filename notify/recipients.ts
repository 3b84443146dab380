/** Who gets what, by which channel: the config's `events`, and the matrix of procedure §2.3 for mail. Pure. */
import type { Settings } from "../config";
import { MOMENTS, toldOf } from "../report/procedure";
import type { ChannelName, Kind } from "./message";

type Told = Pick<Settings, "notifications">;

/** Mail addresses that are told of a kind: those that are always told, and the teams of its activities. */
export function recipients({ notifications: { smtp, stakeholders } }: Told, kind: Kind): string[] {
  const teams = MOMENTS.filter(({ kinds }) => (kinds as readonly Kind[]).includes(kind)).flatMap(
    ({ activity }) => toldOf(activity),
  );
  return [...new Set([...(smtp?.to ?? []), ...teams.flatMap(({ key }) => stakeholders[key])])];
}

/** The channels that a kind goes to. */
export function channelsFor(settings: Told, kind: Kind): ChannelName[] {
  const { webhook, smtp, glpi } = settings.notifications;
  if (kind === "inventory") return glpi?.inventory ? ["glpi"] : [];
  return [
    ...(webhook?.events.includes(kind) ? ["webhook" as const] : []),
    ...(smtp?.events.includes(kind) && recipients(settings, kind).length > 0 ? ["smtp" as const] : []),
    ...(glpi?.events.includes(kind) ? ["glpi" as const] : []),
  ];
}
