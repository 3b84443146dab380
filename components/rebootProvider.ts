import type * as pulumi from "@pulumi/pulumi";
import { configure, providerContext } from "./providerConfig";
import { runRebooting } from "./rebooting";
import { finished, type TurnInputs } from "./turnQuestions";
import { reboot } from "./turns";

interface Inputs extends TurnInputs {
  readonly when: string;
}

const COMPARED = ["node", "when", "wanted", "accepted", "changeId", "attempt", "owner"] as const;

/**
 * {@link provider}. Its diff says "changed" until the node's turn is over: `patch`, a Command, may run again when this has ended
 * well, and what it then upgrades may want another reboot. Where it does not, reboot.sh finds its work done.
 * @param over the nodes whose turn is over
 */
export const providerUntil = (
  over: () => Promise<ReadonlySet<string>>,
): pulumi.dynamic.ResourceProvider<Inputs, Inputs & { readonly stdout: string }> => ({
  configure,
  async diff(_id, olds, news) {
    const altered = COMPARED.some((field) => olds[field] !== news[field]);
    return { changes: altered || !(await over()).has(news.node) };
  },
  create: async (inputs) => ({ id: `reboot-${inputs.node}`, outs: await rebooted(inputs) }),
  update: async (_id, _olds, news) => ({ outs: await rebooted(news) }),
});

/** The provider behind {@link Reboot}. */
export const provider = providerUntil(finished);

async function rebooted(inputs: Inputs): Promise<Inputs & { readonly stdout: string }> {
  const context = providerContext();
  const { settings } = context;
  const node = settings.nodes.find(({ name }) => name === inputs.node);
  if (!node)
    throw new Error(
      `${inputs.node} is not in nodes. next: put it back; nodes leave the list after acceptance`,
    );
  const how = { attempt: inputs.attempt, dialSeconds: settings.limits.sshSeconds };
  return { ...inputs, stdout: await runRebooting(context, inputs.owner, reboot(settings, node), how) };
}
