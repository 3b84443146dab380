import { setTimeout as pause } from "node:timers/promises";
import type { Finding } from "../observe";
import { stops } from "./refusal";

/** Long enough for a burst of writes, or a lost packet, to be over (TCP sends anew after 1 s, then 2 s). */
const PAUSE_MS = 5_000;

/**
 * Looks and judges; a second time where all that would stop the run may be over in a moment: a figure of one second
 * ({@link Finding.momentary}), or an answer that did not come. Nobody should be woken to type `pulumi up` once more.
 * @param recoveringMs a cluster that was just woken is asked again for so long, whatever it is that would stop the run
 */
export async function judgeSteadily<Seen>(
  look: () => Promise<Seen>,
  judge: (seen: Seen) => Finding[],
  { recoveringMs = 0, pauseMs = PAUSE_MS } = {},
): Promise<{ readonly seen: Seen; readonly findings: Finding[] }> {
  const deadline = Date.now() + recoveringMs;
  const mayPass = ({ verdict, momentary }: Finding) => momentary === true || verdict === "not measured";
  for (let looks = 1; ; looks++) {
    const seen = await look();
    const findings = judge(seen);
    const refused = findings.filter(stops);
    const again = Date.now() < deadline || (looks === 1 && refused.every(mayPass));
    if (refused.length === 0 || !again) return { seen, findings };
    await pause(pauseMs);
  }
}
