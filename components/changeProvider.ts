import { randomUUID } from "node:crypto";
import type * as pulumi from "@pulumi/pulumi";
import { lookAtNode } from "../observe";
import { type ChangeInputs, type ChangeState, isWithdrawal, judgeChange, withdrawn } from "./changePolicy";
import { configure, providerContext } from "./providerConfig";
import { isUntouched } from "./touched";

/** A state from before there was a way back. */
const NEVER_BACK = { goBack: "" };

/** The provider behind {@link Change}: its `check` sees the old inputs, in preview and in up. */
export const provider: pulumi.dynamic.ResourceProvider<ChangeInputs, ChangeState> = {
  configure,
  async check(olds, news) {
    const before = (olds as Partial<ChangeState> | undefined)?.owner
      ? { ...NEVER_BACK, ...(olds as ChangeState) }
      : undefined;
    const { wanted, accepted, changeId, goBack } = news;
    const now = { wanted, accepted, changeId, goBack };
    const verdict = judgeChange(before, now, randomUUID);
    if ("reason" in verdict && before && isWithdrawal(before, now) && (await nothingTouched(before))) {
      return { inputs: { ...news, ...withdrawn(before) } };
    }
    if ("reason" in verdict) {
      return { inputs: news, failures: [{ property: verdict.property, reason: verdict.reason }] };
    }
    return { inputs: { ...news, ...verdict } };
  },
  async diff(_id, olds, news) {
    const fields = [
      "wanted",
      "accepted",
      "changeId",
      "goBack",
      "attempt",
      "from",
      "mode",
      "movedUnder",
      "owner",
    ] as const;
    return { changes: fields.some((field) => olds[field] !== (news as ChangeState)[field]) };
  },
  async create(inputs) {
    return { id: "change", outs: inputs as ChangeState };
  },
  async update(_id, _olds, news) {
    return { outs: news as ChangeState };
  },
};

/** Whether no node was touched by the change. One that does not answer counts as touched. */
async function nothingTouched({ accepted, changeId }: ChangeState): Promise<boolean> {
  const { settings, sshPrivateKey } = providerContext();
  const untouched = settings.nodes.map((node) =>
    lookAtNode(node, sshPrivateKey).then(
      (seen) => isUntouched(accepted, changeId, seen),
      () => false,
    ),
  );
  return (await Promise.all(untouched)).every(Boolean);
}
