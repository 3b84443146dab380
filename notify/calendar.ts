/**
 * The maintenance window as a calendar entry (RFC 5545). METHOD:PUBLISH: nobody is asked to come, it is to be known
 * (RFC 5546 §3.2.1). The same UID with a higher SEQUENCE takes the place of what was announced before.
 */
import ical, {
  ICalCalendarMethod,
  ICalEventBusyStatus,
  ICalEventStatus,
  ICalEventTransparency,
} from "ical-generator";
import { digestOf } from "../report/canonical";

export interface Entry {
  readonly changeId: string;
  readonly stack: string;
  /** upgrade, going back or settled: each has an entry of its own. */
  readonly direction: string;
  readonly start: Date;
  readonly end: Date;
  readonly summary: string;
  readonly text: string;
  /** Whose entry it is: a mail address. */
  readonly organizer: string;
  /** 0 for the first announcement. */
  readonly sequence: number;
  readonly madeAt: Date;
}

/** Names what is announced, for as long as it is the same change; RFC 7986 §5.3 wants no host's name in it. */
export const uidOf = ({
  changeId,
  stack,
  direction,
}: Pick<Entry, "changeId" | "stack" | "direction">): string =>
  `rke2-upgrade-${digestOf(`${stack}\n${changeId}\n${direction}`).slice(0, 32)}`;

/** The entry as a file. The same entry gives the same bytes. */
export function calendarFile(entry: Entry): string {
  const calendar = ical({
    prodId: { company: "rke2-upgrade", product: "change announcement", language: "EN" },
    method: ICalCalendarMethod.PUBLISH,
  });
  calendar.createEvent({
    id: uidOf(entry),
    sequence: entry.sequence,
    stamp: entry.madeAt,
    start: entry.start,
    end: entry.end,
    summary: entry.summary,
    description: entry.text,
    organizer: { name: "rke2-upgrade", email: entry.organizer },
    status: ICalEventStatus.CONFIRMED,
    // The cluster is at work, whoever reads this is not.
    busystatus: ICalEventBusyStatus.FREE,
    transparency: ICalEventTransparency.TRANSPARENT,
  });
  return calendar.toString();
}
