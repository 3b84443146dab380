import assert from "node:assert/strict";
import fc from "fast-check";
import { firstRun, parseCalendar } from "../../proxmox/calendar";

const week = [new Date("2026-09-07T00:00:00Z"), new Date("2026-09-14T00:00:00Z")] as const;
const first = (event: string, timeZone = "UTC", from: Date = week[0]) => {
  const calendar = parseCalendar(event);
  assert.ok(calendar, event);
  return firstRun(calendar, timeZone, from, week[1])?.toISOString().slice(5, 16);
};

describe("proxmox/calendar", () => {
  it("reads what Proxmox VE's dialogue offers and its manual shows", () => {
    assert.equal(first("01:00"), "09-07T01:00");
    assert.equal(first("sun 01:30"), "09-13T01:30");
    assert.equal(first("mon..fri 02:00", "UTC", new Date("2026-09-11T03:00:00Z")), undefined);
    assert.equal(first("sat,sun 22,23:15"), "09-12T22:15");
    assert.equal(first("*/6:00", "UTC", new Date("2026-09-07T00:01:00Z")), "09-07T06:00");
    assert.equal(first("*:0/30", "UTC", new Date("2026-09-07T10:01:00Z")), "09-07T10:30");
    assert.equal(first("*/20", "UTC", new Date("2026-09-07T10:01:00Z")), "09-07T10:20");
    assert.equal(first("hourly", "UTC", new Date("2026-09-07T10:01:00Z")), "09-07T11:00");
    assert.equal(first("daily"), "09-07T00:00");
    assert.equal(first("saturday 04:00"), "09-12T04:00");
  });

  it("goes by the host's wall clock", () => {
    assert.equal(first("01:00", "Europe/Berlin"), "09-07T23:00");
    assert.equal(first("05:45", "Asia/Kolkata"), "09-07T00:15");
  });

  it("does not guess at what it cannot read", () => {
    for (const event of [
      "",
      "2026-01-01 01:00",
      "*-*-01 01:00",
      "monthly",
      "25:00",
      "01:60",
      "foo 01:00",
      "1:2:3",
      "5..2:00",
      "*/0:00",
    ])
      assert.equal(parseCalendar(event), undefined, event);
  });

  it("finds the first run there is: within the span, at a minute of the event", () => {
    const part = fc.integer({ min: 0, max: 23 });
    const zone = fc.constantFrom("UTC", "Europe/Berlin", "Asia/Kolkata");
    const from = fc.date({ min: new Date("2026-01-01"), max: new Date("2026-12-31"), noInvalidDate: true });
    fc.assert(
      fc.property(part, part, zone, from, (hour, minute, timeZone, start) => {
        const calendar = parseCalendar(`${hour}:${minute}`);
        assert.ok(calendar);
        const end = new Date(start.getTime() + 49 * 3_600_000);
        const run = firstRun(calendar, timeZone, start, end);
        assert.ok(run && run >= start && run < end);
        assert.equal(firstRun(calendar, timeZone, start, run), undefined);
      }),
    );
  });
});
