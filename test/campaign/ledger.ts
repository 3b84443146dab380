/** What a campaign has tried so far, kept beside what is built, so that it can be stopped and continued. */
import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { cacheDirectory } from "../../rehearsal/machines/paths";

/** One interruption, and what became of it. */
export interface Case {
  /** Which story was interrupted. */
  readonly story: string;
  /** The resource whose step had just ended. */
  readonly after: string;
  /** Others that ended between this one and the run's end: steps of several nodes go side by side. */
  readonly beside?: readonly string[];
  readonly how: Interruption;
  /** Whether the run that followed went on beyond this step, or what it said. */
  readonly ended: "went on" | string;
}

/** How a run is broken off: its engine and all it started die, its terminal is lost, or the node it works on loses power. */
export type Interruption = "killed" | "hung up" | "power lost";

export class Ledger {
  private readonly file: string;

  constructor(readonly story: string) {
    this.file = join(cacheDirectory, "campaign", `${story}.jsonl`);
    mkdirSync(dirname(this.file), { recursive: true });
  }

  get cases(): readonly Case[] {
    if (!existsSync(this.file)) return [];
    return readFileSync(this.file, "utf8")
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Case);
  }

  add(one: Omit<Case, "story">): void {
    appendFileSync(this.file, `${JSON.stringify({ story: this.story, ...one })}\n`);
  }

  forget(): void {
    rmSync(this.file, { force: true });
  }
}
