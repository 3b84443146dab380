/** Hands a run's events to whoever wants them. What they do with it is never the run's concern. */
import type { RunEvent } from "./event";

/** One that is told. */
export type Sink = (event: RunEvent) => void | Promise<void>;

/** How long the end of a run waits for those that are still at it. */
const PATIENCE_MS = 30_000;

export class Teller {
  private readonly pending: Promise<void>[] = [];

  constructor(private readonly sinks: readonly Sink[]) {}

  tell(event: RunEvent): void {
    for (const sink of this.sinks) {
      this.pending.push(
        (async () => sink(event))().catch((error: Error) => {
          console.error(`the event ${event.kind} was not passed on: ${error.message}`);
        }),
      );
    }
  }

  /** When all have been told, or have taken too long. */
  async done(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const over = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, PATIENCE_MS);
    });
    await Promise.race([Promise.all(this.pending), over]);
    clearTimeout(timer);
  }
}
