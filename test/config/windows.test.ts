import assert from "node:assert/strict";
import fc from "fast-check";
import { DAYS, describeWindow, type MaintenanceWindow, nextAfter, openAt, utc } from "../../config/windows";

const sunday: MaintenanceWindow = { days: ["sun"], start: "01:00", end: "05:00", timeZone: "UTC" };
const always: MaintenanceWindow = { days: [...DAYS], start: "00:00", end: "24:00", timeZone: "UTC" };
const at = (iso: string) => new Date(iso);
const iso = (date: Date | undefined) => date?.toISOString().slice(0, 16);
const hours = (span: { start: Date; end: Date }) => (span.end.getTime() - span.start.getTime()) / 3_600_000;

describe("config/windows", () => {
  it("is open from its start until before its end, and knows the next", () => {
    assert.equal(openAt([sunday], at("2026-09-06T00:59:59Z")), undefined);
    assert.equal(iso(openAt([sunday], at("2026-09-06T01:00:00Z"))?.end), "2026-09-06T05:00");
    assert.equal(openAt([sunday], at("2026-09-06T05:00:00Z")), undefined);
    assert.equal(iso(nextAfter([sunday], at("2026-09-03T12:00:00Z"))?.start), "2026-09-06T01:00");
    assert.equal(iso(nextAfter([sunday], at("2026-09-06T02:00:00Z"))?.start), "2026-09-13T01:00");
  });

  it("goes over midnight, and joins what touches: always open has no gap at midnight", () => {
    const night: MaintenanceWindow = { days: ["sat"], start: "22:00", end: "02:00", timeZone: "UTC" };
    assert.equal(iso(openAt([night, sunday], at("2026-09-05T23:00:00Z"))?.end), "2026-09-06T05:00");
    const open = openAt([always], at("2026-09-05T23:59:00Z"));
    assert.ok(open && hours(open) > 24 * 14);
    assert.equal(nextAfter([always], at("2026-09-05T23:59:00Z")), undefined);
  });

  it("follows the wall clock of its zone through both changes of the clocks, and never grows by them", () => {
    const berlin: MaintenanceWindow = { ...sunday, timeZone: "Europe/Berlin" };
    const of = (day: string) => openAt([berlin], at(`${day}T01:30:00Z`));
    assert.equal(iso(of("2026-07-05")?.start), "2026-07-04T23:00");
    assert.equal(iso(of("2026-01-04")?.start), "2026-01-04T00:00");
    // Set forward on 29 March, set back on 25 October.
    assert.deepEqual(
      [of("2026-03-29"), of("2026-10-25")].map((span) => span && hours(span)),
      [3, 5],
    );
    const twice: MaintenanceWindow = { ...berlin, start: "02:30", end: "06:00" };
    assert.equal(iso(openAt([twice], at("2026-10-25T03:00:00Z"))?.start), "2026-10-25T01:30");
    const endsTwice: MaintenanceWindow = { ...berlin, start: "00:00", end: "02:30" };
    assert.equal(iso(openAt([endsTwice], at("2026-10-25T00:10:00Z"))?.end), "2026-10-25T00:30");
    const skipped: MaintenanceWindow = { ...berlin, start: "02:30", end: "06:00" };
    assert.equal(iso(openAt([skipped], at("2026-03-29T03:00:00Z"))?.start), "2026-03-29T01:30");
    const endsSkipped: MaintenanceWindow = { ...berlin, start: "00:00", end: "02:30" };
    assert.equal(iso(openAt([endsSkipped], at("2026-03-29T00:10:00Z"))?.end), "2026-03-29T00:30");
  });

  const anyWindow = fc.record({
    days: fc.uniqueArray(fc.constantFrom(...DAYS), { minLength: 1 }),
    start: fc.integer({ min: 0, max: 95 }),
    end: fc.integer({ min: 0, max: 96 }),
    timeZone: fc.constantFrom(
      "UTC",
      "Europe/Berlin",
      "America/New_York",
      "Australia/Lord_Howe",
      "Asia/Kolkata",
    ),
  });
  const clock = (quarter: number) =>
    `${String(Math.floor(quarter / 4)).padStart(2, "0")}:${String((quarter % 4) * 15).padStart(2, "0")}`;
  const windows = fc
    .array(anyWindow, { minLength: 1, maxLength: 3 })
    .map((list) =>
      list.map((one): MaintenanceWindow => ({ ...one, start: clock(one.start), end: clock(one.end) })),
    );
  const moment = fc.date({
    min: at("2026-01-01T00:00:00Z"),
    max: at("2027-12-31T00:00:00Z"),
    noInvalidDate: true,
  });

  it("for any windows and moment: what is open holds the moment, what comes next does not overlap it", () => {
    fc.assert(
      fc.property(windows, moment, (list, now) => {
        const [open, next] = [openAt(list, now), nextAfter(list, now)];
        if (open) assert.ok(open.start <= now && now < open.end);
        if (next) {
          assert.ok(next.start > now && next.end > next.start);
          assert.ok(openAt(list, next.start));
          if (open) assert.ok(next.start > open.end, "two stretches that touch are one");
        }
        // Every window recurs weekly: one that is closed opens within eight days.
        if (!open && list.some(({ start, end }) => start !== end)) assert.ok(next, "never opens again");
      }),
    );
  });

  it("never calls open what every window's own wall clock calls closed", () => {
    fc.assert(
      fc.property(windows, moment, (list, now) => {
        if (!openAt(list, now)) return;
        const inside = list.some(({ days, start, end, timeZone }) => {
          const parts = new Intl.DateTimeFormat("en-GB", {
            timeZone,
            weekday: "short",
            hour: "2-digit",
            minute: "2-digit",
            hourCycle: "h23",
          }).formatToParts(now);
          const part = (type: string) => parts.find((one) => one.type === type)?.value ?? "";
          const time = `${part("hour")}:${part("minute")}`;
          const today = DAYS.indexOf(part("weekday").toLowerCase() as (typeof DAYS)[number]);
          const yesterday = DAYS[(today + 6) % 7] as (typeof DAYS)[number];
          const overnight = end <= start;
          const began = days.includes(DAYS[today] as (typeof DAYS)[number]) && time >= start;
          if (began && (overnight || time < end)) return true;
          return overnight && days.includes(yesterday) && time < end;
        });
        assert.ok(inside, now.toISOString());
      }),
    );
  });

  it("reads as people say it", () => {
    assert.equal(describeWindow(sunday), "sun 01:00–05:00 UTC");
    assert.equal(describeWindow(always), "daily 00:00–24:00 UTC");
    assert.equal(utc(at("2026-09-06T01:00:00Z")), "Sun 2026-09-06 01:00 UTC");
  });
});
