/** A terminal whose last lines are drawn anew while all else scrolls by above them. */
import { clearScreenDown, cursorTo, moveCursor } from "node:readline";
import type { WriteStream } from "node:tty";

export class Screen {
  private drawn = 0;
  /** What was written of a line that has no end yet: the lines below begin on one of their own. */
  private open = "";

  constructor(private readonly out: Pick<WriteStream, "write"> & NodeJS.WritableStream) {}

  /** Text that stays. */
  above(text: string): void {
    const whole = (this.open + text).lastIndexOf("\n") + 1;
    const all = this.open + text;
    this.open = all.slice(whole);
    if (whole === 0) return;
    this.clear();
    this.out.write(all.slice(0, whole));
  }

  /** Lines that stand below it, in place of those that stood there. */
  below(lines: readonly string[]): void {
    this.clear();
    this.out.write(lines.map((line) => `${line}\n`).join(""));
    this.drawn = lines.length;
  }

  /** Whether there are lines below. */
  stands = (): boolean => this.drawn > 0;

  /** Takes the lines below away, and writes what was held back. */
  end(): void {
    this.clear();
    if (this.open) this.out.write(`${this.open}\n`);
    this.open = "";
  }

  private clear(): void {
    if (this.drawn === 0) return;
    moveCursor(this.out, 0, -this.drawn);
    cursorTo(this.out, 0);
    clearScreenDown(this.out);
    this.drawn = 0;
  }
}
