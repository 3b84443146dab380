import * as pulumi from "@pulumi/pulumi";
import { currentCode } from "../currentCode";

/** Inputs of {@link Recovered}. */
export interface RecoveredInputs {
  readonly attempt: pulumi.Input<number>;
  readonly changeId: pulumi.Input<string>;
  readonly accepted: pulumi.Input<string>;
}

/**
 * The end of a way back: every server's etcd is asked by itself, all must be of one cluster, with one member a server
 * and the same data; and what the way back took is measured, against the objectives of procedure §6.2.
 */
export class Recovered extends pulumi.dynamic.Resource {
  /** Seconds from the first question of the `up` that began it to this proof; attempts that were broken off count. */
  declare readonly rtoSeconds: pulumi.Output<number>;
  /** Seconds from the etcd snapshot that was put back until it was placed, with everything stopped; 0 where none was. */
  declare readonly rpoSeconds: pulumi.Output<number>;
  /** In words, for the operator. */
  declare readonly summary: pulumi.Output<string>;

  constructor(name: string, inputs: RecoveredInputs, opts?: pulumi.CustomResourceOptions) {
    super(
      currentCode("components/recovery/recoveredProvider"),
      name,
      { ...inputs, rtoSeconds: undefined, rpoSeconds: undefined, summary: undefined },
      opts,
      "rke2",
      "Recovered",
    );
  }
}
