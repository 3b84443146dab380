import { setTimeout as pause } from "node:timers/promises";
import { type ClusterNode, type Settings, wayBackHint } from "../config";
import { withNode } from "../observe";
import type { ProviderContext } from "./providerConfig";
import { type HowToRun, runStep } from "./runStep";
import type { PlannedStep } from "./turns";

/** Seconds between two tries of a node that is away: a boot takes many of them. */
const AGAIN_SECONDS = 2;

/** What a step that may reboot its node answers (scripts/reboot.sh). */
interface Answer {
  /** The reboot comes at once, after this answer. */
  readonly rebooting: boolean;
  readonly bootId: string;
}

/**
 * Runs a step, and where it reboots its node waits until the node answers with another boot ID, then runs the step again:
 * that proves it and says what was done. Waiting cannot be the step's own, nor that of a Command: their connection dies
 * with the node, and a Command whose connection dies has failed.
 * @returns its last result line
 * @throws with what the step said of its failure, or that the node does not come back, with the way back
 */
export async function runRebooting(
  context: ProviderContext,
  owner: string,
  planned: PlannedStep,
  how: HowToRun = {},
): Promise<string> {
  const first = await runStep(context, owner, planned, how);
  const { rebooting, bootId } = JSON.parse(first) as Answer;
  if (!rebooting) return first;
  const { settings, sshPrivateKey } = context;
  await awaitReboot({
    before: bootId,
    ask: async () => {
      const asked = await withNode(planned.on, sshPrivateKey, (session) =>
        session.exec("cat /proc/sys/kernel/random/boot_id"),
      );
      return asked.stdout.trim();
    },
    seconds: settings.limits.rebootSeconds,
    againSeconds: AGAIN_SECONDS,
    refusal: (last) => lost(settings, planned.on, last),
  });
  return runStep(context, owner, planned, { ...how, dialSeconds: settings.limits.sshSeconds });
}

/** A wait for another boot ID. */
export interface Wait {
  readonly before: string;
  /** @returns the boot ID as it is now @throws where nobody answers */
  ask(): Promise<string>;
  readonly seconds: number;
  readonly againSeconds: number;
  /** The failure's message, from what was seen last. */
  refusal(last: string): string;
}

/** Waits until another boot ID is seen. @throws with the wait's refusal */
export async function awaitReboot({ before, ask, seconds, againSeconds, refusal }: Wait): Promise<void> {
  const deadline = Date.now() + seconds * 1000;
  for (;;) {
    const seen = await ask().catch((error: Error) => error);
    if (typeof seen === "string" && seen !== "" && seen !== before) return;
    if (Date.now() >= deadline) throw new Error(refusal(typeof seen === "string" ? "" : seen.message));
    await pause(againSeconds * 1000);
  }
}

/** A node that was rebooted and is not back: which case of the way back it is (procedure §6.2). */
export function lost(settings: Settings, node: ClusterNode, last: string): string {
  const { limits } = settings;
  const seen = last
    ? `does not answer over SSH ${limits.rebootSeconds} s after its reboot was asked for (${last})`
    : `still has the boot ID that it had ${limits.rebootSeconds} s ago, when its reboot was asked for`;
  const what =
    node.role === "server"
      ? "§6.2 control plane failure: etcd goes on with the other servers; take no other one down"
      : "§6.2 worker node failure: its pods are on the other agents, and it stays cordoned";
  return `${node.name}: reboot: ${seen}, wanted another boot ID\n  next: look at the console of VM ${node.vmId} on ${node.proxmoxNode} (off? start it; a boot loader's menu, a file system check?); once it answers, run pulumi up again: it goes on there. ${what}; ${wayBackHint(settings, node)}`;
}
