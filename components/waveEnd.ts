import * as pulumi from "@pulumi/pulumi";
import { currentCode } from "./currentCode";
import type { TurnGateInputs } from "./turnGate";

/** Inputs of {@link WaveEnd}. */
export interface WaveEndInputs extends Omit<TurnGateInputs, "node"> {
  /** The wave's nodes, space-separated. */
  readonly nodes: string;
}

/** Ends a wave: fails with what failed in any of its turns, and passes only where the cluster shows all of it as done. */
export class WaveEnd extends pulumi.dynamic.Resource {
  constructor(name: string, inputs: WaveEndInputs, opts?: pulumi.CustomResourceOptions) {
    super(currentCode("components/waveEndProvider"), name, { ...inputs }, opts, "rke2", "WaveEnd");
  }
}
