import * as pulumi from "@pulumi/pulumi";
import { decideAnew, tellsDecision } from "./recovery/decision";
import type { Run } from "./step";

/**
 * Has what fails say whether to go back (procedure §4.3): the engine asks the program before it gives up a resource. Only for
 * what runs alone in the chain. The engine ends the program with the first failure, and a later one, whose hook finds no
 * program any more, would lose its own words.
 */
export function decisionHook({ settings, sshPrivateKey }: Omit<Run, "hooks">): pulumi.ErrorHook {
  const key = () => new Promise<string>((resolve) => pulumi.output(sshPrivateKey).apply(resolve));
  let told: Promise<void> | undefined;
  const tell = async () => {
    const lines = await decideAnew(settings, key);
    if (lines.length > 0) await pulumi.log.warn(lines.join("\n"));
  };
  return new pulumi.ErrorHook("whether-to-go-back", async ({ errors }) => {
    if (errors.some(tellsDecision)) return false;
    told ??= tell();
    await told;
    return false;
  });
}
