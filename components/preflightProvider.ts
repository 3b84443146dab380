import type * as pulumi from "@pulumi/pulumi";
import { type Facts, inTurn, lookAtNode, observe } from "../observe";
import { measured } from "../observe/cost";
import { keepBackedUp } from "./backupTimer";
import { type GateAnswer, gateAnswer } from "./gateAnswer";
import { judgeRun } from "./judgement";
import { holdAll } from "./locks";
import { configure, providerContext } from "./providerConfig";
import { refusal, stops } from "./refusal";
import { keepWayBack } from "./wayBackKeeper";

interface Inputs {
  readonly wanted: string;
  readonly accepted: string;
  readonly changeId: string;
  readonly attempt: number;
  readonly owner: string;
}

/** The provider behind {@link Preflight}. */
export const provider: pulumi.dynamic.ResourceProvider<Inputs, Inputs & GateAnswer> = {
  configure,
  async check(_olds, news) {
    return { inputs: news };
  },
  async diff(_id, olds, news) {
    const fields = ["wanted", "accepted", "changeId", "attempt", "owner"] as const;
    return { changes: fields.some((field) => olds[field] !== news[field]) || !(await allDone(news.wanted)) };
  },
  async create(inputs) {
    return { id: `preflight-${inputs.changeId}`, outs: { ...inputs, ...(await ask(inputs)) } };
  },
  async update(_id, _olds, news) {
    return { outs: { ...news, ...(await ask(news)) } };
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

async function ask(inputs: Inputs): Promise<GateAnswer> {
  const { settings, ...secrets } = providerContext();
  const { result: facts, cost } = await measured(() => observe(settings, secrets));
  const findings = judgeRun(settings, facts, inputs.owner);
  const refused = findings.filter(stops);
  if (refused.length > 0) throw new Error(refusal("nothing was touched", "before a change", refused));
  await holdAll(settings, secrets.sshPrivateKey, inputs.owner, "take");
  await keepWayBack(providerContext(), inputs.owner, touched(facts, inputs));
  keepBackedUp();
  return gateAnswer(findings, cost);
}

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
