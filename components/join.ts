import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import type { Run } from "./step";

/** Ends things that were done side by side: one Command that waits for all of them and is then the tail. */
export function join(
  run: Run,
  parent: pulumi.Resource,
  name: string,
  all: readonly pulumi.Resource[],
): pulumi.CustomResource {
  return new command.local.Command(
    name,
    { create: pulumi.interpolate`true # attempt ${run.change.attempt}`, addPreviousOutputInEnv: false },
    { parent, dependsOn: [...all] },
  );
}
