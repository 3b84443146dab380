/** Who is told when, by the matrix of procedure §2.3, and how, by the config's channels. Pure. */
import type { Settings } from "../config";
import { channelsFor, recipients } from "../notify/recipients";
import type { PlanRecord } from "./planSchema";
import { MOMENTS, toldOf } from "./procedure";

type Told = Pick<Settings, "notifications">;

export const notices = (settings: Told): PlanRecord["notices"] =>
  MOMENTS.map(({ when, activity, what, kinds }) => ({
    when,
    who: toldOf(activity)
      .map(({ team, letters }) => `${team} (${letters})`)
      .join(", "),
    what,
    how: howOf(settings, kinds),
  }));

/** The channels of these kinds, each with whom it reaches; kinds that go the same ways stand together. */
function howOf(settings: Told, kinds: (typeof MOMENTS)[number]["kinds"]): string {
  const byWay = new Map<string, string[]>();
  for (const kind of kinds) {
    const way = waysOf(settings, kind);
    byWay.set(way, [...(byWay.get(way) ?? []), kind]);
  }
  return [...byWay].map(([way, told]) => `${told.join(", ")}: ${way}`).join("; ");
}

function waysOf(settings: Told, kind: (typeof MOMENTS)[number]["kinds"][number]): string {
  const { ticket } = settings.notifications.glpi ?? {};
  const words = {
    webhook: "webhook",
    smtp: `mail to ${recipients(settings, kind).join(", ")}`,
    glpi: `GLPI, ${ticket === "create" ? "a ticket of its own" : `ticket ${ticket}`}`,
  };
  const ways = channelsFor(settings, kind).map((channel) => words[channel]);
  return ways.join("; ") || "not by this program";
}
