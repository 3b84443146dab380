import * as pulumi from "@pulumi/pulumi";
import { join } from "./join";
import { type Link, type Run, step } from "./step";
import { fetchArtifacts } from "./turns";

/** The release files of both versions on every node, checked: install and going back are then local. */
export class Artifacts extends pulumi.ComponentResource implements Link {
  readonly tail: pulumi.Resource;

  constructor(
    name: string,
    { run, after }: { run: Run; after: pulumi.Resource },
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("rke2:components:Artifacts", name, {}, opts);
    const fetched = run.settings.nodes.map((node) =>
      step(run, { parent: this, after }, `${node.name}-fetch-artifacts`, fetchArtifacts(run.settings, node)),
    );
    this.tail = join(run, this, `${name}-join`, fetched);
    this.registerOutputs({});
  }
}
