import { randomUUID } from "node:crypto";
import type * as pulumi from "@pulumi/pulumi";
import { type ChangeInputs, type ChangeState, judgeChange } from "./changePolicy";

/** The provider behind {@link Change}: its `check` sees the old inputs, in preview and in up. */
export const provider: pulumi.dynamic.ResourceProvider<ChangeInputs, ChangeState> = {
  async check(olds, news) {
    const before = (olds as Partial<ChangeState> | undefined)?.owner ? (olds as ChangeState) : undefined;
    const { wanted, accepted, changeId } = news;
    const verdict = judgeChange(before, { wanted, accepted, changeId }, randomUUID);
    if ("reason" in verdict) {
      return { inputs: news, failures: [{ property: verdict.property, reason: verdict.reason }] };
    }
    return { inputs: { ...news, ...verdict } };
  },
  async diff(_id, olds, news) {
    const fields = ["wanted", "accepted", "changeId", "attempt", "from", "mode", "owner"] as const;
    return { changes: fields.some((field) => olds[field] !== (news as ChangeState)[field]) };
  },
  async create(inputs) {
    return { id: "change", outs: inputs as ChangeState };
  },
  async update(_id, _olds, news) {
    return { outs: news as ChangeState };
  },
};
