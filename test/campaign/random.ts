import { random } from "../e2e/back";
import type { Interruption } from "./ledger";

/** Chooses by a seed, the same each time. */
export class Random {
  /** A number from 0 up to, not including, 1. */
  readonly next: () => number;

  constructor(seed: number) {
    this.next = random(seed);
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
