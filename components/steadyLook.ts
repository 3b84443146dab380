import { setTimeout as pause } from "node:timers/promises";
import type { Finding } from "../observe";
import { stops } from "./refusal";

/** Long enough for a burst of writes, or a lost packet, to be over (TCP sends anew after 1 s, then 2 s). */
const PAUSE_MS = 5_000;

/**
 * Looks and judges; a second time where all that would stop the run may be over in a moment: a figure of one second
 * ({@link Finding.momentary}), or an answer that did not come. Nobody should be woken to type `pulumi up` once more.
 */
export async function judgeSteadily<Seen>(
  look: () => Promise<Seen>,
  judge: (seen: Seen) => Finding[],
  pauseMs = PAUSE_MS,
): Promise<{ readonly seen: Seen; readonly findings: Finding[] }> {
  const first = await look();
  const findings = judge(first);
  const refused = findings.filter(stops);
  const mayPass = ({ verdict, momentary }: Finding) => momentary === true || verdict === "not measured";
  if (refused.length === 0 || !refused.every(mayPass)) return { seen: first, findings };
  await pause(pauseMs);
  const seen = await look();
  return { seen, findings: judge(seen) };
}
