/** What a run tells whoever is not looking at its terminal. */
export const EVENT_KINDS = ["start", "nodeDone", "held", "failed", "done", "rollback"] as const;

export interface RunEvent {
  /** ISO 8601, UTC. */
  readonly at: string;
  /** `held`: a gate stopped the run before it touched its node; `rollback`: a run that goes back has begun. */
  readonly kind: (typeof EVENT_KINDS)[number];
  readonly changeId: string;
  /** The node that is done, held or failed; absent for the run as a whole. */
  readonly node?: string;
  /** One line for a person: versions, what was seen, what comes next. No secret. */
  readonly text: string;
}
