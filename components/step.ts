import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import type { Settings } from "../config";
import { shellWord, stepInput } from "../scripts";
import type { Change } from "./change";
import type { PlannedStep } from "./turns";

/** What every builder needs to lay out its steps. */
export interface Run {
  readonly settings: Settings;
  readonly change: Change;
  readonly sshPrivateKey: pulumi.Input<string>;
  /** What is asked where a step fails (decisionHook.ts). */
  readonly hooks?: pulumi.ResourceHookBinding;
}

/** Where a step belongs: its component, and the last custom resource so far, which it waits for. */
export interface Place {
  readonly parent: pulumi.Resource;
  /** The tail: nodes are serial because each step depends on it. */
  readonly after: pulumi.Resource;
  /** What it proves, where its arguments do not tell all of that: it runs again when this changes. */
  readonly proves?: string;
}

/** A component that continues a chain: what comes next depends on its tail. */
export interface Link {
  /** The last custom resource of the chain up to and with this component. */
  readonly tail: pulumi.Resource;
}

/**
 * One step on one node: a `remote.Command` that converges, is bounded on the node itself and holds the node's lock.
 * @param name the resource's name, `${component}-${step}`
 * @param given its arguments where they are known only while it runs, as what is frozen in the change's state
 */
export function step(
  run: Run,
  { parent, after, proves }: Place,
  name: string,
  planned: PlannedStep,
  given: pulumi.Input<PlannedStep["args"]> = planned.args,
): command.remote.Command {
  const { settings, change } = run;
  const { on, script, limitSeconds, ofAttempt } = planned;
  const attempt = ofAttempt ? pulumi.interpolate`${change.attempt} ` : "";
  const words = pulumi.output(given).apply((args) => args.map((word) => shellWord(String(word))).join(" "));
  return new command.remote.Command(
    name,
    {
      connection: {
        host: on.address,
        port: on.port,
        user: on.user,
        privateKey: run.sshPrivateKey,
        hostKey: on.hostKey,
        // A refusing host is tried for about sshSeconds: after some tries a dial takes a second.
        dialErrorLimit: settings.limits.sshSeconds,
        perDialTimeout: 15,
      },
      // The comment makes the attempt an input: no stored input of an older attempt ever equals it by accident.
      create: pulumi.interpolate`sudo -n bash -s -- ${script} ${change.owner} ${limitSeconds} ${attempt}${words}${proves ? ` # ${proves}` : ""} # ${settings.changeId} attempt ${change.attempt}`,
      stdin: stepInput(script, on.name),
      addPreviousOutputInEnv: false,
    },
    { parent, dependsOn: [after], hooks: run.hooks },
  );
}
