import { setTimeout as pause } from "node:timers/promises";
import type * as pulumi from "@pulumi/pulumi";
import { objectiveOf } from "../../config";
import { describeCensus, lookAtMembers, type MemberFacts, notOne } from "../../observe";
import { forgetWhatIsGone } from "../dataVersion";
import { changeSince } from "../keptCensus";
import { configure, providerContext } from "../providerConfig";
import { recordOf, writeRecord } from "./record";
import { scenarioOf } from "./scenario";
import { whatItTook } from "./took";

interface Inputs {
  readonly attempt: number;
  readonly changeId: string;
  readonly accepted: string;
}

interface Outputs extends Inputs {
  readonly rtoSeconds: number;
  readonly rpoSeconds: number;
  readonly clusterId: string;
  readonly members: readonly string[];
  readonly revision: string;
  readonly summary: string;
}

/** The provider behind {@link Recovered}. */
export const provider: pulumi.dynamic.ResourceProvider<Inputs, Outputs> = {
  configure,
  async diff(_id, olds, news) {
    const fields = ["attempt", "changeId", "accepted"] as const;
    return { changes: fields.some((field) => olds[field] !== news[field]) };
  },
  async create(inputs) {
    return { id: `recovered-${inputs.changeId}`, outs: await prove(inputs) };
  },
  async update(_id, _olds, news) {
    return { outs: await prove(news) };
  },
};

async function prove(inputs: Inputs): Promise<Outputs> {
  const { settings, sshPrivateKey } = providerContext();
  const [member] = await wholeEtcd();
  if (!member) throw new Error("nodes names no server");
  const record = await recordOf(settings, inputs.attempt);
  const endedAt = record.endedAt ?? new Date().toISOString();
  await writeRecord(settings, { ...record, endedAt });
  if (record.placed) await forgetWhatIsGone(settings, record.placed.file);
  const { rtoSeconds, rpoSeconds } = whatItTook(record, endedAt);
  const { rtoMinutes, rpoMinutes } = objectiveOf(settings, scenarioOf(settings));
  const lost = record.placed
    ? `etcd is what it was at ${record.placed.takenAt}: what was written in the ${rpoSeconds} s from then until everything stood still is gone (objective: ${rpoMinutes} min)`
    : "no data was put back: nothing written to etcd is lost";
  const objects = record.placed && (await changeSince(record.placed.file, settings, sshPrivateKey));
  const counted = objects
    ? `; ${"value" in objects ? describeCensus(objects.value) : `objects by kind: not measured: ${objects.missing}`}`
    : "";
  const { without } = settings.goBack ?? {};
  const left = without ? `; left out and still to be mended: ${without.join(", ")}` : "";
  return {
    ...inputs,
    rtoSeconds,
    rpoSeconds,
    clusterId: member.clusterId,
    members: member.members,
    revision: member.revision,
    summary: `back by ${record.goBack} in ${rtoSeconds} s (objective: ${rtoMinutes} min); ${lost}; etcd ${member.clusterId}: ${member.members.length} members, the same data in all${counted}${left}`,
  };
}

/** Every member's word, once they are one. @throws where they are not within `readySeconds` */
async function wholeEtcd(): Promise<MemberFacts[]> {
  const { settings, sshPrivateKey } = providerContext();
  const deadline = Date.now() + settings.limits.readySeconds * 1000;
  for (;;) {
    const members = await lookAtMembers(settings.servers, sshPrivateKey).catch((error: Error) => error);
    const reasons = members instanceof Error ? [members.message] : notOne(members, settings.servers.length);
    if (!(members instanceof Error) && reasons.length === 0) return members;
    if (Date.now() > deadline) {
      throw new Error(
        `etcd is not one and whole: ${reasons.join("; ")}. next: do not stop any server; compare etcd's member list on each of them, then run pulumi up again`,
      );
    }
    await pause(2000);
  }
}
