import { hash } from "node:crypto";
import * as pulumi from "@pulumi/pulumi";
import type { Operator } from "../config";
import { currentCode } from "./currentCode";
import type { LetThrough } from "./letThrough";
import type { PreflightInputs } from "./preflight";

/** Inputs of {@link OperatorsGate}; all else it reads from the stack's config. */
export interface OperatorsGateInputs extends Omit<PreflightInputs, "goBack"> {
  /** The operators' names, with a space between. */
  readonly operators: string;
  /** Of all that is asked for of them, as {@link digestOf} makes it. */
  readonly digest: string;
}

/** Changes with anything that is asked for of the operators. They hold no secrets. */
export const digestOf = (operators: readonly Operator[]): string =>
  hash("sha256", JSON.stringify(operators)).slice(0, 16);

/**
 * Asks, on each `up` while an operator is not what the stack says, whether all of them may be moved, before anything is
 * touched: a release that is there belongs to this stack or is adopted, helm is not at work on it, and a window is open.
 */
export class OperatorsGate extends pulumi.dynamic.Resource {
  /** When it was asked last, RFC 3339, UTC: then it may have taken the cluster's lock. */
  declare readonly askedAt: pulumi.Output<string>;
  /** Names of the operators that this stack's state holds, with a space between: in a preview those before it. */
  declare readonly held: pulumi.Output<string>;
  /** What it remembers of those that it has let through; unknown in a preview where it is to be asked again. */
  declare readonly letThrough: pulumi.Output<LetThrough>;

  constructor(name: string, inputs: OperatorsGateInputs, opts?: pulumi.CustomResourceOptions) {
    super(
      currentCode("components/operatorsGateProvider"),
      name,
      { ...inputs, held: undefined, letThrough: undefined, askedAt: undefined },
      opts,
      "rke2",
      "OperatorsGate",
    );
  }
}
