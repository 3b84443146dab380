import * as pulumi from "@pulumi/pulumi";
import { type ClusterNode, isPatched } from "../config";
import { currentCode } from "./currentCode";
import type { Link, Run } from "./step";
import type { TurnGateInputs } from "./turnGate";

/** Inputs of {@link WaveTurn}; all else it reads from the stack's config. */
export interface WaveTurnInputs extends TurnGateInputs {
  /** Who goes together with it, space-separated: another company is another turn. */
  readonly fellows: string;
}

/**
 * A whole turn of an agent that goes together with others: its gate and all its steps, run by the program itself.
 *
 * Not a Command each, as where nodes go one at a time: the engine starts nothing more once a Command has failed, and one
 * whose connection dies fails whatever its script says. A fellow would be left half-way, cordoned. So a turn that fails
 * here ends well for the engine and says so in `failed`; {@link WaveEnd} then fails for all of its wave.
 */
export class WaveTurn extends pulumi.dynamic.Resource {
  /** What the gate that opens the turn found, a line a check. */
  declare readonly found: pulumi.Output<string[]>;
  /** The JSON line of each step that ended well, by its name, in order. */
  declare readonly results: pulumi.Output<Record<string, string>>;
  /** What the node was before its turn, and is after: the lines of its gate and of its verification. */
  declare readonly before: pulumi.Output<string>;
  declare readonly after: pulumi.Output<string>;

  constructor(name: string, inputs: WaveTurnInputs, opts?: pulumi.CustomResourceOptions) {
    const outs = { found: undefined, results: undefined, before: undefined, after: undefined };
    super(currentCode("components/waveTurnProvider"), name, { ...inputs, ...outs }, opts, "rke2", "WaveTurn");
  }
}

/** An agent's turn beside those of its fellows, as {@link AgentNode} is where it goes alone. */
export class WaveAgentNode extends pulumi.ComponentResource implements Link {
  readonly tail: pulumi.Resource;
  readonly found: pulumi.Output<string[]>;
  readonly before: pulumi.Output<string>;
  readonly after: pulumi.Output<string>;
  readonly patched: pulumi.Output<string> | undefined;

  constructor(
    {
      run,
      node,
      fellows,
      after,
    }: { run: Run; node: ClusterNode; fellows: readonly ClusterNode[]; after: pulumi.Resource },
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super(`rke2:components:${node.gpu ? "GpuAgentNode" : "AgentNode"}`, node.name, {}, opts);
    const { settings, change } = run;
    const { rke2Version: wanted, acceptedVersion: accepted, changeId } = settings;
    const { attempt, owner } = change;
    const names = fellows.map(({ name }) => name).join(" ");
    const turn = new WaveTurn(
      `${node.name}-turn`,
      { node: node.name, fellows: names, wanted, accepted, changeId, attempt, owner },
      { parent: this, dependsOn: [after] },
    );
    this.tail = turn;
    this.found = turn.found;
    this.before = turn.before;
    this.after = turn.after;
    if (isPatched(settings, node)) this.patched = turn.results.apply((results) => results?.patch ?? "");
    this.registerOutputs({ before: this.before, after: this.after });
  }
}
