import assert from "node:assert/strict";
import fc from "fast-check";
import { nextAfter } from "../../config";
import { calendarFile, type Entry, uidOf } from "../../notify/calendar";
import { settingsOf } from "../report/fixtures";

const entry: Entry = {
  changeId: "CR-1",
  stack: "lab",
  direction: "upgrade",
  start: new Date("2026-11-29T01:00:00Z"),
  end: new Date("2026-11-29T05:00:00Z"),
  summary: "CR-1: RKE2 v1.35.4+rke2r1 → v1.36.3+rke2r1",
  text: "One node at a time.\nAsk; us, please",
  organizer: "rke2@example.org",
  sequence: 0,
  madeAt: new Date("2026-11-24T12:00:00Z"),
};

/** An entry's properties, unfolded (RFC 5545 §3.1). */
const propertiesOf = (file: string): Map<string, string> =>
  new Map(
    file
      .replace(/\r\n[ \t]/g, "")
      .split("\r\n")
      .map((line): [string, string] => [
        line.slice(0, line.search(/[;:]/)),
        line.slice(line.indexOf(":") + 1),
      ]),
  );

describe("notify/calendar", () => {
  it("is a published entry with the window in UTC", () => {
    const found = propertiesOf(calendarFile(entry));
    assert.equal(found.get("METHOD"), "PUBLISH");
    assert.equal(found.get("DTSTART"), "20261129T010000Z");
    assert.equal(found.get("DTEND"), "20261129T050000Z");
    assert.equal(found.get("DTSTAMP"), "20261124T120000Z");
    assert.equal(found.get("SEQUENCE"), "0");
    assert.equal(found.get("SUMMARY"), entry.summary);
    assert.equal(found.get("DESCRIPTION"), "One node at a time.\\nAsk\\; us\\, please");
    assert.match(
      calendarFile(entry).replace(/\r\n[ \t]/g, ""),
      /ORGANIZER;CN="rke2-upgrade":mailto:rke2@example.org/i,
    );
    assert.doesNotMatch(calendarFile(entry), /ATTENDEE/);
  });

  it("has the next window of a zone with a summer time at the right moments", () => {
    const windows = [{ days: ["sat"], start: "23:00", end: "05:00", timeZone: "Europe/Berlin" }];
    const settings = settingsOf({ windows });
    // The night in which the clocks are set back: an hour longer than the wall clock says.
    const span = nextAfter(settings.windows, new Date("2026-10-19T12:00:00Z"));
    assert.ok(span);
    const found = propertiesOf(calendarFile({ ...entry, ...span }));
    assert.deepEqual([found.get("DTSTART"), found.get("DTEND")], ["20261024T210000Z", "20261025T040000Z"]);
  });

  it("keeps its UID whatever else changes, and has another for another change, stack or direction", () => {
    const later = {
      ...entry,
      sequence: 1,
      start: new Date("2026-12-06T01:00:00Z"),
      organizer: "new@example.org",
    };
    const [first, second] = [entry, later].map((one) => propertiesOf(calendarFile(one)));
    assert.equal(first?.get("UID"), second?.get("UID"));
    assert.equal(second?.get("SEQUENCE"), "1");
    const part = fc.stringMatching(/^[A-Za-z0-9_-]{1,6}$/);
    const named = fc.record({ changeId: part, stack: part, direction: part });
    fc.assert(
      fc.property(
        named,
        named,
        (a, b) => (uidOf(a) === uidOf(b)) === (JSON.stringify(a) === JSON.stringify(b)),
      ),
    );
  });

  it("is the same bytes for the same entry", () => {
    assert.equal(calendarFile(entry), calendarFile({ ...entry }));
  });
});
