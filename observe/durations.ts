import { z } from "zod";
import type { Measured } from "../config";

const record = z.object({ step: z.string(), node: z.string(), seconds: z.number().nonnegative() });

/** Reads the result lines that a node has kept (scripts/envelope.sh). A line that was cut short tells nothing. */
export function parseDurations(lines: readonly string[]): Measured[] {
  return lines.flatMap((line) => {
    try {
      const { success, data } = record.safeParse(JSON.parse(line));
      return success ? [data] : [];
    } catch {
      return [];
    }
  });
}
