/** A run's status in the middle of its first server's turn, one API server away. */
import { availability } from "../../../report/live/availability";
import { advance, type Progress } from "../../../report/live/progress";
import { API_ADDRESS, type Line, type Sample } from "../../../report/live/series";
import { type Status, type StatusInputs, statusOf } from "../../../report/live/status";
import { planned, settingsOf } from "../fixtures";

export const NOW = new Date("2026-11-24T12:10:00.000Z");

const settings = settingsOf();
const plan = planned(settings);
const servers = settings.servers.map(({ name }) => name);

/** All that comes before the second server's restart is done, and that is at work since half a minute. */
function progress(): Progress {
  const ids = new Set(plan.steps.map(({ id }) => id));
  const now = plan.steps.findIndex(({ id }) => id === `${servers[1]}-restart`);
  return plan.steps.slice(0, now + 1).reduce<Progress>((before, { id }, i) => {
    const at = NOW.getTime() - 30_000 - (now - i) * 10_000;
    const begun = advance(before, ids, { at, name: id, what: "begun", worked: true });
    return i === now ? begun : advance(begun, ids, { at: at + 9_000, name: id, what: "done", worked: true });
  }, new Map());
}

const sampled: Line[] = [...servers, API_ADDRESS].flatMap((target, i): Sample[] =>
  [20, 10, 0].map((ago) => {
    const at = new Date(NOW.getTime() - ago * 1000).toISOString();
    return i === 1 && ago < 20
      ? { at, target, error: "ECONNREFUSED" }
      : { at, target, ms: 12 + i, etcd: true };
  }),
);

export function statusAt(more: Partial<StatusInputs> = {}): Status {
  const latest = new Map(
    sampled.filter((line): line is Sample => "target" in line).map((line) => [line.target, line]),
  );
  return statusOf(
    {
      ...{ run: 1, startedAt: "2026-11-24T12:00:00.000Z", settings, plan, progress: progress() },
      watched: { latest, pods: { notRunning: ["lab/api CrashLoopBackOff"] } },
      availability: availability(1, sampled),
      snapshotTakenAt: new Date(NOW.getTime() - 1_200_000),
      ...more,
    },
    NOW,
  );
}
