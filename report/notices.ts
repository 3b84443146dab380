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

/** The channels of these kinds, each with whom it reaches. */
function howOf(settings: Told, kinds: (typeof MOMENTS)[number]["kinds"]): string {
  const { glpi } = settings.notifications;
  const ticket = glpi?.ticket === "create" ? "a ticket of its own" : `ticket ${glpi?.ticket}`;
  const ways = kinds.map((kind) => {
    const by = channelsFor(settings, kind).map(
      (channel) =>
        ({
          webhook: "webhook",
          smtp: `mail to ${recipients(settings, kind).join(", ")}`,
          glpi: `GLPI, ${ticket}`,
        })[channel],
    );
    return by.length > 0 ? `${kind}: ${by.join("; ")}` : `${kind}: not by this program`;
  });
  return ways.join(" · ");
}
