import * as pulumi from "@pulumi/pulumi";
import { currentCode } from "./currentCode";

/** Inputs of {@link Preflight}; all else it reads from the stack's config. */
export interface PreflightInputs {
  readonly wanted: pulumi.Input<string>;
  readonly accepted: pulumi.Input<string>;
  readonly changeId: pulumi.Input<string>;
  /** The way back that is asked for; empty while the change goes forward. */
  readonly goBack: pulumi.Input<string>;
  readonly attempt: pulumi.Input<number>;
  readonly owner: pulumi.Input<string>;
}

/**
 * Asks every gate's question anew on each `up` while the change is unfinished, before anything is changed, and takes
 * the locks. Pulumi does not rerun a step that succeeded, so a gate that passed in an earlier run would count for
 * ever; this resource's diff says "changed" until every node is done.
 */
export class Preflight extends pulumi.dynamic.Resource {
  /** What was found at the time, a line a check. */
  declare readonly found: pulumi.Output<string[]>;

  constructor(name: string, inputs: PreflightInputs, opts?: pulumi.CustomResourceOptions) {
    super(
      currentCode("components/preflightProvider"),
      name,
      { ...inputs, found: undefined },
      opts,
      "rke2",
      "Preflight",
    );
  }
}
