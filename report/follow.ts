/** Shows a run's log as it grows, to its end. Whoever follows may go: the run does not notice. */
import { open } from "node:fs/promises";
import { StringDecoder } from "node:string_decoder";
import { setTimeout as pause } from "node:timers/promises";
import { plainText } from "../notify/plainText";
import { lives, type RunFiles, readRun } from "./runFiles";

const EVERY_MS = 300;

/** Follows a run until it has ended. @param show is given its log as plain text @param beat is called between two looks @returns its exit code; undefined where it ended without a word */
export async function follow(
  run: RunFiles,
  show: (text: string) => void,
  beat: () => Promise<void> = async () => {},
): Promise<number | undefined> {
  const log = await open(run.log, "r");
  // A character may lie across two reads.
  const decoder = new StringDecoder("utf8");
  try {
    for (;;) {
      // Asked first: what it wrote before it ended is then all there.
      const alive = await lives(run);
      for (;;) {
        const { bytesRead, buffer } = await log.read({ buffer: Buffer.alloc(65_536) });
        if (bytesRead === 0) break;
        show(plainText(decoder.write(buffer.subarray(0, bytesRead))));
      }
      if (!alive) return (await readRun(run)).code;
      await beat();
      await pause(EVERY_MS);
    }
  } finally {
    await log.close();
  }
}
