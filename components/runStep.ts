import { setTimeout as pause } from "node:timers/promises";
import { withNode } from "../observe";
import type { RemoteResult } from "../observe/ssh";
import { shellWord, stepInput } from "../scripts";
import type { ProviderContext } from "./providerConfig";
import type { PlannedStep } from "./turns";

/** How a step is run. */
export interface HowToRun {
  /** The change's; needed by steps that do something once an attempt. */
  readonly attempt?: number;
  /** The node that the step is about, where several are worked on at once (scripts/envelope.sh). */
  readonly about?: string;
  /** For how long a node that cannot be reached is tried. */
  readonly dialSeconds?: number;
}

/**
 * Runs a planned step now, from a provider, as a Command of the chain would: in its envelope, bounded on the node.
 * @returns its result: the JSON line that it printed last
 * @throws with what the step said of its failure
 */
export async function runStep(
  { sshPrivateKey }: ProviderContext,
  owner: string,
  planned: PlannedStep,
  { attempt = 0, about, dialSeconds = 0 }: HowToRun = {},
): Promise<string> {
  const { on, script, args, limitSeconds, ofAttempt } = planned;
  const named = about === undefined || about === on.name ? script : `${script}@${about}`;
  const all = [named, owner, limitSeconds, ...(ofAttempt ? [attempt] : []), ...args];
  const words = all.map((word) => shellWord(String(word))).join(" ");
  const deadline = Date.now() + dialSeconds * 1000;
  for (;;) {
    let reached = false;
    try {
      const ended = await withNode(on, sshPrivateKey, (session) => {
        reached = true;
        return session.exec(`sudo -n bash -s -- ${words}`, {
          stdin: stepInput(script, on.name),
          // One that an earlier run left at work is waited for, then this one runs: each within the limit.
          timeoutMs: (2 * limitSeconds + 30) * 1000,
        });
      });
      return resultOf(planned, ended);
    } catch (error) {
      if (reached || Date.now() >= deadline || String(error).includes("host key differs")) throw error;
      await pause(1000);
    }
  }
}

function resultOf({ on, script }: PlannedStep, { code, stdout, stderr }: RemoteResult): string {
  if (code !== 0) throw new Error(stderr.trim() || `${on.name}: ${script} ended with ${code}`);
  return stdout.trim().split("\n").at(-1) ?? "";
}
