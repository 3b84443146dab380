import * as pulumi from "@pulumi/pulumi";
import { currentCode } from "./currentCode";

/** Inputs of {@link OperatorsLock}. */
export interface OperatorsLockInputs {
  /** When the operators' gate was asked last: with no change under way it has taken the cluster's Lease then. */
  readonly askedAt: pulumi.Input<string>;
  readonly owner: pulumi.Input<string>;
}

/**
 * Lets the Lease go that the operators' gate took, once every node is seen live. Of its own, beside the release of the way
 * back: operators alone accept nothing.
 */
export class OperatorsLock extends pulumi.dynamic.Resource {
  constructor(name: string, inputs: OperatorsLockInputs, opts: pulumi.CustomResourceOptions) {
    super(
      currentCode("components/operatorsLockProvider"),
      name,
      { ...inputs },
      opts,
      "rke2",
      "OperatorsLock",
    );
  }
}
