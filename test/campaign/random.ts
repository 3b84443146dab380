import type { Interruption } from "./ledger";

/** Chooses by a seed, the same each time (mulberry32). */
export class Random {
  constructor(private state: number) {}

  /** A number from 0 up to, not including, 1. */
  next(): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /**
   * How to break a run off.
   * @param canLosePower whether there is a node to take the power from
   * @param powerLostOneIn how rare a loss of power is among them
   */
  interruption(canLosePower: boolean, powerLostOneIn: number): Interruption {
    const [rare, other] = [this.next(), this.next()];
    if (canLosePower && rare < 1 / powerLostOneIn) return "power lost";
    return other < 0.5 ? "killed" : "hung up";
  }
}
