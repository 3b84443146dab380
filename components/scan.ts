import type * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { join } from "./join";
import { type Link, type Run, step } from "./step";
import { type ScanTime, scan } from "./turns";

/** Arguments of {@link Scan}. */
export interface ScanArgs {
  readonly run: Run;
  readonly when: Exclude<ScanTime, "turn">;
  readonly after: pulumi.Resource;
}

/** What a scan of a node found: its totals and what fails, and every check's status by its number. */
export interface Scanned {
  readonly [key: string]: unknown;
}

/** kube-bench on every node, side by side (procedure §5.1). Where the config asks for none, it is empty. */
export class Scan extends pulumi.ComponentResource implements Link {
  readonly tail: pulumi.Resource;
  /** By node. */
  readonly found: pulumi.Output<Record<string, Scanned>>;

  constructor(name: string, { run, when, after }: ScanArgs, opts?: pulumi.ComponentResourceOptions) {
    super("rke2:components:Scan", name, {}, opts);
    const { settings, change } = run;
    const commands = settings.nodes.map((node) => {
      const planned = scan(settings, node, when);
      // Once nothing is under way the config may name the next change already: its folder would hold nothing to compare with.
      const args =
        when === "accept"
          ? change.movedUnder.apply((id) => scan(settings, node, when, id).args)
          : planned.args;
      return [
        node.name,
        step(run, { parent: this, after }, `${node.name}-scan-${when}`, planned, args),
      ] as const;
    });
    this.found = foundIn(commands);
    this.tail = join(
      run,
      this,
      `${name}-join`,
      commands.map(([, made]) => made),
    );
    this.registerOutputs({});
  }
}

const foundIn = (
  commands: readonly (readonly [string, command.remote.Command])[],
): pulumi.Output<Record<string, Scanned>> =>
  pulumi
    .all(commands.map(([name, { stdout }]) => stdout.apply((text) => [name, readScan(text)] as const)))
    .apply((rows) => Object.fromEntries(rows));

/** The two JSON objects that scan.sh prints last, as one. */
export function readScan(stdout: string): Scanned {
  const [checks = "{}", result = "{}"] = stdout
    .trim()
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .slice(-2);
  return { ...JSON.parse(checks), ...JSON.parse(result) };
}
