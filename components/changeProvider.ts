import { randomUUID } from "node:crypto";
import type * as pulumi from "@pulumi/pulumi";
import { type ClusterNode, patchedNodes } from "../config";
import { lookAtNode } from "../observe";
import {
  acceptsRound,
  adopting,
  adoptsAnother,
  begins,
  type ChangeInputs,
  type ChangeState,
  isWithdrawal,
  judgeChange,
  type Refusal,
  takesBackRound,
  UNSET,
  withdrawn,
} from "./changePolicy";
import { refusedNodes } from "./frozenNodes";
import { nothingTouched } from "./nothingTouched";
import { letGo, type Marks, usedUp } from "./patchMarks";
import { configure, providerContext } from "./providerConfig";
import { patchedIn } from "./turnQuestions";

/** The provider behind {@link Change}: its `check` sees the old inputs, in preview and in up. */
export const provider: pulumi.dynamic.ResourceProvider<ChangeInputs, ChangeState> = {
  configure,
  async check(olds, news) {
    const before = (olds as Partial<ChangeState> | undefined)?.owner
      ? { ...UNSET, ...(olds as ChangeState) }
      : undefined;
    const { wanted, accepted, changeId, goBack, round, acceptedRound, nodes } = news;
    const now = { wanted, accepted, changeId, goBack, round, acceptedRound, nodes };
    const moved = before && refusedNodes(before, now);
    if (moved) return { inputs: news, failures: [moved] };
    const verdict = judgeChange(before, now, randomUUID);
    if ("reason" in verdict) {
      if (before && isWithdrawal(before, now) && (await nothingTouched(providerContext(), before)))
        return { inputs: { ...news, ...withdrawn(before) } };
      if (before && adoptsAnother(before, now) && (await nothingTouched(providerContext(), now)))
        return { inputs: { ...news, ...adopting(before, now) } };
      return { inputs: news, failures: [{ property: verdict.property, reason: verdict.reason }] };
    }
    const refused = before && (await refusedByNodes(before, now));
    if (refused) return { inputs: news, failures: [refused] };
    return { inputs: { ...news, ...verdict } };
  },
  async diff(_id, olds, news) {
    const fields = [
      "wanted",
      "accepted",
      "changeId",
      "goBack",
      "round",
      "acceptedRound",
      "nodes",
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

/** What speaks against an allowed move by the nodes' own word: who was patched in what, no version tells. */
async function refusedByNodes(before: ChangeState, now: ChangeInputs): Promise<Refusal | undefined> {
  if (acceptsRound(before, now)) {
    const reason = await unpatched(before.round);
    return reason ? { property: "acceptedRound", reason } : undefined;
  }
  if (takesBackRound(before, now)) {
    const reason = letGo(now.round, await marksOf(patchedNodes(providerContext().settings)));
    return reason ? { property: "acceptedRound", reason } : undefined;
  }
  if (begins(before, now)) {
    const reason = usedUp(now.changeId, await marksOf(providerContext().settings.nodes));
    return reason ? { property: "changeId", reason } : undefined;
  }
  return undefined;
}

/** Under which changes each node's OS packages were patched, by its own word. */
function marksOf(nodes: readonly ClusterNode[]): Promise<Marks[]> {
  const { sshPrivateKey } = providerContext();
  return Promise.all(
    nodes.map((node) =>
      lookAtNode(node, sshPrivateKey).then(
        ({ patchedUnder }) => ({ name: node.name, patchedUnder }),
        () => ({ name: node.name }),
      ),
    ),
  );
}

/** Why a round of OS patches cannot be accepted: versions do not tell who was patched. Empty where nothing is open. */
async function unpatched(round: string): Promise<string> {
  const { settings } = providerContext();
  const { agents, servers, osPatch } = settings;
  const done = await patchedIn(round).catch((error: Error) => error);
  if (done instanceof Error)
    return `nobody can say which nodes were patched (${done.message}). Run it again once a server answers`;
  // Not patchedNodes: osPatch.packages may be none again by now, and then it would be nobody.
  const open = [...(osPatch.servers ? servers : []), ...agents].filter(({ name }) => !done.has(name));
  if (open.length === 0) return "";
  return `not patched in ${round}, or still in their turn: ${open.map(({ name }) => name).join(", ")}. Nothing was let go: set osPatch.acceptedRound back, and finish the round with pulumi up`;
}
