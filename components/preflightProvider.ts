import type * as pulumi from "@pulumi/pulumi";
import { type Facts, type Finding, inTurn, judge, lookAtNode, observe } from "../observe";
import { keepBackedUp } from "./backupTimer";
import { holdAll } from "./locks";
import { configure, providerContext } from "./providerConfig";
import { keepWayBack } from "./wayBackKeeper";

interface Inputs {
  readonly wanted: string;
  readonly accepted: string;
  readonly changeId: string;
  readonly attempt: number;
  readonly owner: string;
}

/** The provider behind {@link Preflight}. */
export const provider: pulumi.dynamic.ResourceProvider<Inputs, Inputs> = {
  configure,
  async check(_olds, news) {
    return { inputs: news };
  },
  async diff(_id, olds, news) {
    const fields = ["wanted", "accepted", "changeId", "attempt", "owner"] as const;
    return { changes: fields.some((field) => olds[field] !== news[field]) || !(await allDone(news.wanted)) };
  },
  async create(inputs) {
    await ask(inputs);
    return { id: `preflight-${inputs.changeId}`, outs: inputs };
  },
  async update(_id, _olds, news) {
    await ask(news);
    return { outs: news };
  },
};

/** Whether every node already runs the version: then nothing is left to be done, and nothing to be asked. */
async function allDone(wanted: string): Promise<boolean> {
  const { settings, sshPrivateKey } = providerContext();
  const running = await Promise.all(
    settings.nodes.map((node) =>
      lookAtNode(node, sshPrivateKey).then(
        (seen) =>
          seen.versionRunning === wanted && seen.versionOnDisk === wanted && seen.service === "active",
        () => false,
      ),
    ),
  );
  return running.every(Boolean);
}

async function ask(inputs: Inputs): Promise<void> {
  const { settings, sshPrivateKey, proxmoxTokenSecret } = providerContext();
  const facts = await observe(settings, { sshPrivateKey, proxmoxTokenSecret });
  const refused = judge(settings, facts, inputs.owner).filter(stops);
  if (refused.length > 0) throw new Error(refusal(refused));
  await holdAll(settings, sshPrivateKey, inputs.owner, "take");
  await keepWayBack(providerContext(), inputs.owner, touched(facts, inputs));
  keepBackedUp();
}

/** What nobody could measure stops a change as a failure does. */
const stops = (finding: Finding) => finding.verdict === "fail" || finding.verdict === "not measured";

/**
 * Nodes that are no longer what their snapshot would be worth: another version on disk or running. A mark alone is no
 * touch, it is set before anything is changed; where the node cannot be asked, the mark is all there is to go by.
 */
function touched(facts: Facts, { accepted }: Inputs): Set<string> {
  const { settings } = providerContext();
  const isTouched = ({ name }: { name: string }) => {
    const seen = facts.nodes.get(name);
    if (!seen || !("value" in seen)) return inTurn(settings, facts.cluster, name);
    const { versionOnDisk, versionRunning } = seen.value;
    return versionOnDisk !== accepted || (versionRunning !== "" && versionRunning !== accepted);
  };
  return new Set(settings.nodes.filter(isTouched).map(({ name }) => name));
}

/** One message with every finding that stops the change. */
function refusal(findings: readonly Finding[]): string {
  const lines = findings.flatMap(({ check, found, wanted, next }) => [
    `- ${check}: ${found}; wanted ${wanted}`,
    ...(next ? [`    next: ${next}`] : []),
  ]);
  return `nothing was touched: ${findings.length} of the checks before a change do not hold.\n${lines.join("\n")}\nMend them and run pulumi up again.`;
}
