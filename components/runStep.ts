import { withNode } from "../observe";
import { shellWord, stepText } from "../scripts";
import type { ProviderContext } from "./providerConfig";
import type { PlannedStep } from "./turns";

/**
 * Runs a planned step now, from a provider, as a Command of the chain would: in its envelope, bounded on the node.
 * @param attempt of the change; needed by steps that do something once an attempt
 * @throws with what the step said of its failure
 */
export async function runStep(
  { sshPrivateKey }: ProviderContext,
  owner: string,
  planned: PlannedStep,
  attempt = 0,
): Promise<void> {
  const { on, script, args, limitSeconds, ofAttempt } = planned;
  const all = [script, owner, limitSeconds, ...(ofAttempt ? [attempt] : []), ...args];
  const words = all.map((word) => shellWord(String(word))).join(" ");
  const { code, stderr } = await withNode(on, sshPrivateKey, (session) =>
    session.exec(`sudo -n bash -s -- ${words}`, {
      stdin: stepText(script),
      timeoutMs: (limitSeconds + 30) * 1000,
    }),
  );
  if (code !== 0) throw new Error(stderr.trim() || `${on.name}: ${script} ended with ${code}`);
}
