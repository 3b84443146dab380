/**
 * The nodes of a change, frozen at its start: its snapshots are of their VMs, by the IDs that stood in the config then. Who
 * leaves the list in the middle leaves a snapshot that nobody deletes; another `vmId` means one taken of whatever runs there.
 * Where a node is reached, and on which host its VM lies, may change. Pure.
 */
import type { ClusterNode } from "../config";
import { begins, type ChangeInputs, type ChangeState, isUnderWay, type Refusal } from "./changePolicy";

/** What is frozen of each node: `proj-k8sm01 server 3001`, in the order of their names, so that two can be compared. */
export const nodesAsText = (nodes: readonly Pick<ClusterNode, "name" | "role" | "vmId">[]): string =>
  nodes
    .map(({ name, role, vmId }) => `${name} ${role} ${vmId}`)
    .sort()
    .join(", ");

/** What speaks against a move by its list of nodes. A state from before nodes were frozen has none to compare with. */
export function refusedNodes(before: ChangeState, now: ChangeInputs): Refusal | undefined {
  const goesOn = isUnderWay(before) || (isUnderWay(now) && !begins(before, now));
  if (!goesOn || !before.nodes || before.nodes === now.nodes) return undefined;
  const [was, is] = [byName(before.nodes), byName(now.nodes ?? "")];
  const differences = [...new Set([...was.keys(), ...is.keys()])].sort().flatMap((name) => {
    const [old, own] = [was.get(name), is.get(name)];
    if (!old) return [`${name} is new in it`];
    if (!own) return [`${name} (${old.role}, vmId ${old.vmId}) is missing in it`];
    return (["role", "vmId"] as const).flatMap((key) =>
      old[key] === own[key] ? [] : [`${name}'s ${key} was ${old[key]} and is ${own[key]}`],
    );
  });
  return {
    property: "nodes",
    reason: `nodes was changed in the middle of the change ${before.changeId}, whose snapshots are of the VMs that it began with: ${differences.join("; ")}. next: put that back in nodes until the change is accepted, or until it has gone back and is settled (docs/goBack.md). A node's address, user, port, hostKey and proxmoxNode may change`,
  };
}

const byName = (text: string): Map<string, { role?: string; vmId?: string }> =>
  new Map(
    text.split(", ").flatMap((one) => {
      const [name, role, vmId] = one.split(" ");
      return name && role && vmId ? [[name, { role, vmId }] as const] : [];
    }),
  );
