/** The API's availability (procedure §4.1) as a section of the report. */
import type { ReportRecord } from "../reportSchema";
import type { Section } from "./document";
import { moment, seconds } from "./values";

const tookMs = (value: number | undefined): string => (value === undefined ? "not measured" : `${value} ms`);

/** A table a run that was watched. */
export const availabilitySection = ({ availability }: ReportRecord): Section => ({
  id: "availability",
  title: "API availability",
  blocks:
    availability.length > 0
      ? availability.map((one) => ({
          kind: "table" as const,
          caption: `Run ${one.run}, once a second, ${moment(one.from)} to ${moment(one.to)}; a gap is from the last good answer to the next one. The watch itself was away for at most ${one.unwatchedSeconds} s. ${podsOf(one)}${one.notes.map((note) => ` Not measured: ${note}.`).join("")}`,
          columns: [
            "Target",
            "Samples",
            "Without a good answer",
            "Longest gap",
            "Began",
            "p50",
            "p99",
            "etcd failed",
          ],
          rows: [
            ...one.targets.map((target) => [
              target.target,
              String(target.samples),
              String(target.missing),
              seconds(target.longestGap.seconds),
              target.longestGap.from ?? "none",
              tookMs(target.p50Ms),
              tookMs(target.p99Ms),
              String(target.etcdFailed),
            ]),
            ...(one.anyServer
              ? [
                  [
                    "all servers at once",
                    "",
                    "",
                    seconds(one.anyServer.seconds),
                    one.anyServer.from ?? "none",
                    "",
                    "",
                    "",
                  ],
                ]
              : []),
          ],
        }))
      : [{ kind: "text", text: "Not measured: no run was begun with npm run change -- apply." }],
});

const podsOf = ({ podsNotRunning }: ReportRecord["availability"][number]): string =>
  podsNotRunning ? `At most ${podsNotRunning.most} pods did not run at once.` : "Pods were not listed.";
