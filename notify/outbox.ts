/**
 * Sends what the folder's log holds, in order on each channel, beside whatever else is done. A try is bounded and so is
 * their number; a channel that fails them all rests until it is given the next message, and then begins with the oldest.
 */
import { setTimeout as pause } from "node:timers/promises";
import { appendLine, owed, readLines } from "./log";
import { type Channel, type Message, Refused } from "./message";
import { plainText } from "./plainText";

export interface Patience {
  /** Between one try and the next, milliseconds; there is one try more than there are pauses. */
  readonly pausesMs: readonly number[];
  /** One try, milliseconds. */
  readonly tryMs: number;
}

/** Our own: a restarted mail server is back within a minute. Five tries. */
const PATIENCE: Patience = { pausesMs: [1_000, 4_000, 10_000, 20_000], tryMs: 15_000 };

export class Outbox {
  private readonly busy = new Map<Channel, Promise<void>>();
  /** Channels that were given something since they last looked. */
  private readonly given = new Set<Channel>();
  private readonly stopped = new AbortController();

  /**
   * @param scrub takes secrets out of what a receiver or a library says
   */
  constructor(
    private readonly directory: string,
    private readonly channels: readonly Channel[],
    private readonly scrub: (text: string) => string = (text) => text,
    private readonly patience: Patience = PATIENCE,
  ) {}

  /** Keeps a message for a channel, and begins to send. @throws where it cannot be written */
  add(name: Channel["name"], message: Message): void {
    const { id, kind } = message;
    const line = { at: now(), channel: name, id, kind, outcome: "queued" as const, message };
    appendLine(this.directory, line);
    const channel = this.channels.find((one) => one.name === name);
    if (channel) this.begin(channel);
  }

  /** Begins to send what is owed from before. */
  resume(): void {
    for (const channel of this.channels)
      if (owed(readLines(this.directory), channel.name).length > 0) this.begin(channel);
  }

  /** Waits until all is sent or has failed its tries, for so long at most; then no more is sent. */
  async settled(withinMs: number): Promise<void> {
    const cut = setTimeout(() => this.stopped.abort(), withinMs);
    while (this.busy.size > 0) await Promise.all(this.busy.values());
    clearTimeout(cut);
    this.stopped.abort();
  }

  private begin(channel: Channel): void {
    this.given.add(channel);
    if (this.busy.has(channel)) return;
    const work = this.work(channel)
      // The folder cannot be written or read: nothing can be said of it there.
      .catch((error: Error) =>
        console.error(`notifications by ${channel.name}: ${plainText(this.scrub(error.message))}`),
      )
      .finally(() => this.busy.delete(channel));
    this.busy.set(channel, work);
  }

  private async work(channel: Channel): Promise<void> {
    while (this.given.delete(channel)) {
      for (;;) {
        const message = owed(readLines(this.directory), channel.name)[0];
        if (!message || !(await this.send(channel, message))) break;
      }
    }
  }

  /** Tries a message. @returns whether the next one may go */
  private async send(channel: Channel, message: Message): Promise<boolean> {
    for (const wait of [...this.patience.pausesMs, undefined]) {
      if (this.stopped.signal.aborted) return false;
      if (await this.attempt(channel, message)) return true;
      if (wait !== undefined)
        await pause(wait, undefined, { signal: this.stopped.signal }).catch(() => undefined);
    }
    return false;
  }

  private async attempt(channel: Channel, message: Message): Promise<boolean> {
    const { id, kind } = message;
    const line = { channel: channel.name, id, kind };
    const signal = AbortSignal.any([this.stopped.signal, AbortSignal.timeout(this.patience.tryMs)]);
    try {
      const detail = await bounded(channel.deliver(message, signal), signal);
      appendLine(this.directory, {
        ...line,
        at: now(),
        outcome: "delivered",
        ...(detail && { detail: this.scrub(detail) }),
      });
      return true;
    } catch (error) {
      const detail = this.scrub(said(error, this.patience.tryMs));
      appendLine(this.directory, {
        ...line,
        at: now(),
        outcome: error instanceof Refused ? "refused" : "failed",
        detail,
      });
      return error instanceof Refused;
    }
  }
}

const now = (): string => new Date().toISOString();

/** A library that does not heed the signal is left to itself. */
const bounded = <T>(work: Promise<T>, signal: AbortSignal): Promise<T> =>
  new Promise((resolve, reject) => {
    const cut = () => reject(signal.reason);
    signal.addEventListener("abort", cut, { once: true });
    if (signal.aborted) cut();
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", cut));
  });

/** An error in one line. */
function said(error: unknown, tryMs: number): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === "TimeoutError") return `no answer within ${tryMs / 1000} s`;
  if (error.name === "AbortError") return "the run ended before an answer came";
  // An attempt at several addresses says what it met in its parts alone.
  const inner = error instanceof AggregateError ? error.errors.map(String).join("; ") : "";
  return (error.message || inner || error.name).replace(/\s+/g, " ").slice(0, 300);
}
