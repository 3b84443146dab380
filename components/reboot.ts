import * as pulumi from "@pulumi/pulumi";
import { currentCode } from "./currentCode";
import type { TurnGateInputs } from "./turnGate";

/** Inputs of {@link Reboot}; all else it reads from the stack's config. */
export interface RebootInputs extends TurnGateInputs {
  /** `osPatch.reboot`: another answer to when it is due asks anew. */
  readonly when: string;
}

/**
 * The step of a node's turn that reboots it where that is due, and waits until it is back with another boot ID. A resource
 * of its own, since a Command fails with its connection; run again on each `up` until the node's turn is over.
 */
export class Reboot extends pulumi.dynamic.Resource {
  /** The JSON line of the step, as a Command's stdout holds it. */
  declare readonly stdout: pulumi.Output<string>;

  constructor(name: string, inputs: RebootInputs, opts?: pulumi.CustomResourceOptions) {
    super(
      currentCode("components/rebootProvider"),
      name,
      { ...inputs, stdout: undefined },
      opts,
      "rke2",
      "Reboot",
    );
  }
}
