import * as pulumi from "@pulumi/pulumi";
import { currentCode } from "./currentCode";
import type { LetThrough } from "./letThrough";

/**
 * Has a preview know what the operators' gate remembers: a gate that is to be asked again has no outputs yet, and a provider's
 * `check` sees the inputs of before, never the outputs. So what the gate last left is an input here.
 */
export class OperatorsMemory extends pulumi.dynamic.Resource {
  /** What the gate has let through; in a preview, or where the gate is still to be asked, before this run. */
  declare readonly known: pulumi.Output<LetThrough>;

  constructor(
    name: string,
    inputs: { readonly letThrough: pulumi.Input<LetThrough> },
    opts?: pulumi.CustomResourceOptions,
  ) {
    super(
      currentCode("components/operatorsMemoryProvider"),
      name,
      { ...inputs, known: undefined },
      opts,
      "rke2",
      "OperatorsMemory",
    );
  }
}
