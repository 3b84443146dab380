/** Shows a run to its end: its log as it grows and, on a terminal, how it stands below it. Whoever watches may go. */
import type { WriteStream } from "node:tty";
import { follow } from "../follow";
import type { RunFiles } from "../runFiles";
import { Screen } from "./screen";
import { readStatus } from "./status";
import { lines } from "./terminal";

/** @returns the run's exit code; undefined where it ended without a word */
export async function show(run: RunFiles, out: WriteStream): Promise<number | undefined> {
  if (!out.isTTY) return follow(run, (text) => out.write(text));
  const screen = new Screen(out);
  let drawn = "";
  const code = await follow(
    run,
    (text) => screen.above(text),
    async () => {
      const status = await readStatus(run.status).catch(() => undefined);
      const now = status ? lines(status, out.columns, out.rows) : [];
      // Drawn anew only where it differs, or where the log has scrolled it away.
      if (now.join("\n") === drawn && screen.stands()) return;
      screen.below(now);
      drawn = now.join("\n");
    },
  );
  screen.end();
  return code;
}
