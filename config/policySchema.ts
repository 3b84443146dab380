/** The keys of version policy, compatibility and timing (procedure §3.1). */
import { z } from "zod";
import { seconds, version } from "./fields";
import * as formats from "./formats";
import { hinted } from "./hints";
import { DAYS } from "./windows";

const time = (example: string) =>
  hinted(z.string().regex(formats.clockTime), "a time of day, HH:MM, up to 24:00", example);

const window = z.strictObject({
  days: hinted(
    z.array(hinted(z.enum(DAYS), DAYS.join(", "), "sun")).min(1),
    `the days on which it begins, of ${DAYS.join(", ")}`,
  ),
  start: time("01:00"),
  end: time("05:00"),
  timeZone: hinted(
    z.string().refine(formats.isTimeZone),
    "a time zone of the IANA database",
    "Europe/Berlin",
  ).default("UTC"),
});

/** Sundays 01:00–05:00 UTC (procedure §3.1). */
const WINDOWS: z.input<typeof window>[] = [{ days: ["sun"], start: "01:00", end: "05:00", timeZone: "UTC" }];

export const policyFields = {
  latestStable: hinted(
    z.strictObject({
      version,
      checkedOn: hinted(
        z.string().refine(formats.isDay),
        "the day on which you looked, YYYY-MM-DD, in quotes",
        "2026-08-31",
      ),
    }),
    "an object: version and checkedOn",
    undefined,
    { why: "the N-2 rule is judged without asking the internet" },
  ).optional(),
  windows: hinted(z.array(window).min(1), "a list of {days, start, end, timeZone}").default(() =>
    z.array(window).parse(WINDOWS),
  ),
  windowOverride: hinted(
    z.string().regex(formats.changeId),
    "the changeId of the change that may leave its window",
    "CR-2025-068",
  ).optional(),
  acceptedServers: hinted(
    z.string().regex(formats.changeId),
    "the changeId of the change whose upgraded servers you keep, though its etcd snapshot has grown old",
    "CR-2025-068",
  ).optional(),
  criticalWorkloads: hinted(
    z.string().regex(formats.labelSelector),
    "a label selector, as kubectl --selector takes it",
    "radioastronomy.io/critical=true",
  ).optional(),
  acknowledge: hinted(
    z.array(
      hinted(
        z.string().regex(formats.acknowledgement),
        "a pair that nobody has published, an API that is removed or a change by hand, as the check names it",
        "traefik 3.9 on 1.37",
      ),
    ),
    'a list of "<component> <minor> on <Kubernetes minor>", "<group>/<version> <resource>" and "<node> <file> <fingerprint>"',
  ).default([]),
  durations: z
    .strictObject({
      gateSeconds: seconds().default(15),
      fetchSeconds: seconds().default(600),
      snapshotSeconds: seconds().default(60),
      etcdSnapshotSeconds: seconds().default(60),
      restoreTestSeconds: seconds().default(720),
      installSeconds: seconds().default(60),
      restartSeconds: seconds().default(300),
      verifySeconds: seconds().default(60),
      patchSeconds: seconds().default(300),
      rebootSeconds: seconds().default(120),
      settleSeconds: seconds().default(300),
      validateSeconds: seconds().default(120),
      goBackServersSeconds: seconds(14_400).default(3600),
    })
    .prefault({}),
};
