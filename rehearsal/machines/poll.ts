import { setTimeout as sleep } from "node:timers/promises";

/**
 * Asks until the answer is neither undefined nor false, and returns it. An
 * answer that throws counts as "not yet"; the last error is told at the end.
 * @param what names the awaited state in the error.
 * @param seconds gives up after this long.
 * @param intervalMilliseconds pause between two questions.
 * @throws Error naming what was awaited, for how long, and the last answer's error.
 */
export async function until<T>(
  what: string,
  seconds: number,
  ask: () => Promise<T | undefined | false>,
  intervalMilliseconds = 250,
): Promise<T> {
  const deadline = Date.now() + seconds * 1000;
  let reason = "";
  for (;;) {
    try {
      const answer = await ask();
      if (answer !== undefined && answer !== false) return answer;
    } catch (error) {
      reason = `: ${error instanceof Error ? error.message : String(error)}`;
    }
    if (Date.now() > deadline) throw new Error(`waited ${seconds} s for ${what} in vain${reason}`);
    await sleep(intervalMilliseconds);
  }
}
