import * as pulumi from "@pulumi/pulumi";
import { currentCode } from "./currentCode";
import type { PreflightInputs } from "./preflight";

/** Inputs of {@link TurnGate}; all else it reads from the stack's config. */
export interface TurnGateInputs extends Omit<PreflightInputs, "goBack"> {
  /** The node's name. */
  readonly node: string;
}

/**
 * Opens a node's turn: on every `up` while that node is not done it looks afresh at everything that can have perished
 * since the preflight, its snapshot included, also when a run resumes days later. Its diff says "changed" until the
 * node runs the version and its turn is over; a finished node is passed by.
 */
export class TurnGate extends pulumi.dynamic.Resource {
  /** What was found at the time, a line a check. */
  declare readonly found: pulumi.Output<string[]>;

  constructor(name: string, inputs: TurnGateInputs, opts?: pulumi.CustomResourceOptions) {
    super(
      currentCode("components/turnGateProvider"),
      name,
      { ...inputs, found: undefined },
      opts,
      "rke2",
      "TurnGate",
    );
  }
}
