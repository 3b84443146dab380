import * as pulumi from "@pulumi/pulumi";
import { join } from "../join";
import { type Link, type Run, step } from "../step";
import { type BackPhase, type BackStep, backPhases } from "./phases";
import { PlacedBackup } from "./placeBackup";
import { Recovered } from "./recovered";
import { VmRollback } from "./vmRollback";

/**
 * The way back in place of the forward chains: phases one after another, the lanes of a phase side by side. Nothing in
 * it needs the Kubernetes API before the servers are back.
 */
export class Recovery extends pulumi.ComponentResource implements Link {
  readonly tail: pulumi.Resource;
  /** What the proof at its end measured: RTO and RPO, etcd's state. */
  readonly recovered: Recovered;
  /** By node: what its install step found and what its verification proved. */
  readonly turns: ReadonlyMap<string, { before: pulumi.Output<string>; after: pulumi.Output<string> }>;

  constructor(
    name: string,
    { run, after }: { run: Run; after: pulumi.Resource },
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("rke2:components:Recovery", name, {}, opts);
    const said = new Map<string, pulumi.Output<string>>();
    let tail = after;
    for (const phase of backPhases(run.settings)) tail = this.lay(run, phase, tail, said);
    const { attempt } = run.change;
    const { changeId, acceptedVersion: accepted } = run.settings;
    this.recovered = new Recovered(
      `${name}-recovered`,
      { attempt, changeId, accepted },
      { parent: this, dependsOn: [tail] },
    );
    this.tail = this.recovered;
    this.turns = new Map(
      run.settings.nodes.flatMap(({ name }) => {
        const [before, proof] = [said.get(`${name}-back-install`), said.get(`${name}-verify-node`)];
        return before && proof ? [[name, { before, after: proof }] as const] : [];
      }),
    );
    this.registerOutputs({});
  }

  private lay(
    run: Run,
    { id, lanes }: BackPhase,
    after: pulumi.Resource,
    said: Map<string, pulumi.Output<string>>,
  ): pulumi.Resource {
    const tails = lanes.map((lane) =>
      lane.reduce<pulumi.Resource>((tail, one) => this.layStep(run, one, tail, said), after),
    );
    // Not every lane has a step: one without is transparent, and what follows waits for the others.
    return tails.length === 1 ? (tails[0] as pulumi.Resource) : join(run, this, `back-${id}-join`, tails);
  }

  private layStep(
    run: Run,
    one: BackStep,
    after: pulumi.Resource,
    said: Map<string, pulumi.Output<string>>,
  ): pulumi.Resource {
    const opts = { parent: this, dependsOn: [after] };
    const { attempt } = run.change;
    switch (one.kind) {
      case "rollback":
        return new VmRollback(one.name, { node: one.node.name, attempt }, opts);
      case "place":
        return new PlacedBackup(one.name, { server: one.node.name, attempt }, opts);
      case "command": {
        const made = step(run, { parent: this, after }, one.name, one.planned);
        said.set(one.name, made.stdout);
        return made;
      }
    }
  }
}
