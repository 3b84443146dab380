/** One check's finding: the evidence of the change request, and in `up` the gate. */
export interface Finding {
  /** What was asked, in a few words. */
  readonly check: string;
  /** What was seen. */
  readonly found: string;
  /** What had to be seen. */
  readonly wanted: string;
  /** `fail` stops an `up` before anything is touched; `not measured` stops it too, since nobody knows. */
  readonly verdict: "pass" | "warn" | "fail" | "not measured";
  /** The figure of one moment: it may be well in the next, and is asked again before it stops a run. */
  readonly momentary?: true;
  /** What to do next; there for all but `pass`. */
  readonly next?: string;
}

/** A condition that must hold: `fail` with its next move where it does not. */
export const must = (good: boolean, next: string): Pick<Finding, "verdict" | "next"> =>
  good ? { verdict: "pass" } : { verdict: "fail", next };

/** A condition that should hold: `warn` with its next move where it does not. */
export const should = (good: boolean, next: string): Pick<Finding, "verdict" | "next"> =>
  good ? { verdict: "pass" } : { verdict: "warn", next };

/** What a Proxmox VE host would have said, had it answered. */
export const notMeasured = (check: string, reason: string, wanted: string, host: string): Finding => ({
  check,
  found: reason,
  wanted,
  verdict: "not measured",
  next: `bring ${host} back: pvecm status there; its VMs can be neither snapshotted nor moved meanwhile`,
});
