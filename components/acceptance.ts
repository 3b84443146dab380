import * as pulumi from "@pulumi/pulumi";
import { currentCode } from "./currentCode";
import { join } from "./join";
import { Scan } from "./scan";
import { type Link, type Run, step } from "./step";
import { accept, verifyNode } from "./turns";

/** Inputs of {@link Release}. */
interface ReleaseInputs {
  readonly wanted: pulumi.Input<string>;
  readonly from: pulumi.Input<string>;
  readonly mode: pulumi.Input<string>;
  /** The change ID that the snapshots bear. */
  readonly movedUnder: pulumi.Input<string>;
  readonly attempt: pulumi.Input<number>;
  readonly owner: pulumi.Input<string>;
}

/** Lets the way back go: deletes the change's VM snapshots by name, then the locks. Only {@link Acceptance} makes one. */
class Release extends pulumi.dynamic.Resource {
  constructor(name: string, inputs: ReleaseInputs, opts: pulumi.CustomResourceOptions) {
    super(currentCode("components/releaseProvider"), name, { ...inputs }, opts, "rke2", "Release");
  }
}

/**
 * The settled cluster: adopting and accepting. Every node is proven from inside and from a server to live on the
 * version; then, and only then, the way back is let go. Installs nothing, restarts nothing.
 */
export class Acceptance extends pulumi.ComponentResource implements Link {
  readonly tail: pulumi.Resource;
  /** What each node's verification said; there is no other version before it. */
  readonly turns: ReadonlyMap<string, { before: pulumi.Output<string>; after: pulumi.Output<string> }>;
  /** What the scans found, where the config asks for them. */
  readonly scanned?: Scan["found"];

  constructor(
    name: string,
    { run, after }: { run: Run; after: pulumi.Resource },
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("rke2:components:Acceptance", name, {}, opts);
    const { settings, change } = run;
    const proofs = settings.nodes.map((node) => ({
      node,
      proof: step(run, { parent: this, after }, `${name}-${node.name}-verify`, verifyNode(settings, node)),
    }));
    this.turns = new Map(
      proofs.map(({ node, proof }) => [node.name, { before: proof.stdout, after: proof.stdout }]),
    );
    const proven = join(
      run,
      this,
      `${name}-join`,
      proofs.map(({ proof }) => proof),
    );
    const scanned =
      settings.scan && new Scan(`${name}-scan`, { run, when: "accept", after: proven }, { parent: this });
    this.scanned = scanned?.found;
    const accepted = step(
      run,
      { parent: this, after: scanned?.tail ?? proven },
      `${name}-accept`,
      accept(settings),
    );
    const { from, mode, movedUnder, attempt, owner } = change;
    this.tail = new Release(
      `${name}-release`,
      { wanted: settings.rke2Version, movedUnder, from, mode, attempt, owner },
      { parent: this, dependsOn: [accepted] },
    );
    this.registerOutputs({});
  }
}
