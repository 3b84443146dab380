import type { ClusterNode, Settings } from "../../config";
import { type Facts, inTurn, isReady, nameOf } from "../facts";
import { type Finding, must, notMeasured } from "../finding";
import { type Question, unknown } from "../unmeasured";

/**
 * Whether a node's name, its address and its VM are one machine: who answers at the address has the boot ID that the cluster
 * knows by that name, and a network card of that VM. With one of them mistyped or swapped, another machine would be
 * restarted undrained, snapshotted, or put back. Pure.
 */
export function judgeMachine(settings: Settings, node: ClusterNode, facts: Facts): Finding {
  const question: Question = {
    check: `${node.name}: name, address and VM are one machine`,
    wanted: "one boot ID, a network card in common",
  };
  const seen = facts.nodes.get(node.name);
  const hosts = "value" in facts.hosts ? facts.hosts.value : undefined;
  const cards = hosts?.cards?.get(node.vmId);
  if (!seen || "missing" in seen)
    return unknown(question, `see "${node.name}: answers over SSH"`, "bring the node back first");
  if (!cards) return unknown(question, "Proxmox VE did not say", "see what stopped it, in its own checks");
  if ("missing" in cards) {
    const host = hosts?.places?.find(({ vmId }) => vmId === node.vmId)?.host ?? "its host";
    return notMeasured(question.check, cards.missing, question.wanted, host);
  }
  const comparable = cards.value.length > 0 && seen.value.cards.length > 0;
  const wrong = [
    ...(isOther(settings, node, facts, seen.value.bootId)
      ? [
          `who answers at ${node.address} is another machine than the cluster's node ${node.name}: check nodes[].name and nodes[].address`,
        ]
      : []),
    ...(comparable && !cards.value.some((card) => seen.value.cards.includes(card))
      ? [
          `VM ${node.vmId} has network card ${cards.value.join(", ")}, which the node at ${node.address} has not: check nodes[].vmId (qm config ${node.vmId})`,
        ]
      : []),
  ];
  return {
    ...question,
    found:
      wrong.length > 0
        ? "two machines"
        : `one${comparable ? "" : `; no network card of VM ${node.vmId} could be compared`}`,
    ...must(wrong.length === 0, wrong.join("; ")),
    // One that has just booted is known by its last boot for a moment.
    ...(wrong.length > 0 && { momentary: true }),
  };
}

/** Whether the cluster knows another boot by that name. One in its turn, or not Ready, may have booted since it was heard of. */
function isOther(settings: Settings, { name }: ClusterNode, { cluster }: Facts, bootId: string): boolean {
  const known = "value" in cluster ? cluster.value.nodes.find((one) => nameOf(one) === name) : undefined;
  if (!known || !isReady(known) || inTurn(settings, cluster, name)) return false;
  return known.status?.nodeInfo?.bootID !== bootId;
}
