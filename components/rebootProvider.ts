import type * as pulumi from "@pulumi/pulumi";
import { configure, providerContext } from "./providerConfig";
import { runRebooting } from "./rebooting";
import type { TurnInputs } from "./turnQuestions";
import { reboot } from "./turns";

interface Inputs extends TurnInputs {
  readonly when: string;
}

const COMPARED = ["node", "when", "wanted", "accepted", "changeId", "attempt", "owner"] as const;

/** The provider behind {@link Reboot}. */
export const provider: pulumi.dynamic.ResourceProvider<Inputs, Inputs & { readonly stdout: string }> = {
  configure,
  check: async (_olds, news) => ({ inputs: news }),
  diff: async (_id, olds, news) => ({ changes: COMPARED.some((field) => olds[field] !== news[field]) }),
  create: async (inputs) => ({ id: `reboot-${inputs.node}`, outs: await rebooted(inputs) }),
  update: async (_id, _olds, news) => ({ outs: await rebooted(news) }),
};

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
