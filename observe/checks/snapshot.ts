import { type ClusterNode, type Settings, snapshotName } from "../../config";
import { isOwn } from "../../proxmox/mark";
import type { Snapshot } from "../../proxmox/snapshots";
import { type Finding, must } from "../finding";
import type { Question } from "../unmeasured";

export const snapshotQuestion = ({ limits }: Settings, { name }: ClusterNode): Question => ({
  check: `${name}: its VM's snapshot`,
  wanted: `one of this change, at most ${limits.snapshotMaxAgeHours} h old before the node is touched`,
});

/**
 * The node's own way back: whether its VM has this change's snapshot. One that is too old is no failure: it is joined
 * by a newer one before the turn begins (wayBackKeeper.ts); one that is gone cannot be made of an upgraded node.
 */
export function judgeSnapshot(
  settings: Settings,
  node: ClusterNode,
  snapshots: readonly Snapshot[],
  now: Date,
): Finding {
  const { acceptedVersion, changeId } = settings;
  const name = snapshotName(acceptedVersion, changeId);
  const ours = snapshots.filter((one) => isOwn(one, name, acceptedVersion));
  const newest = ours.toSorted((a, b) => b.takenAt.getTime() - a.takenAt.getTime())[0];
  const hours = newest ? (now.getTime() - newest.takenAt.getTime()) / 3_600_000 : 0;
  return {
    ...snapshotQuestion(settings, node),
    found: newest ? `${newest.name}, ${hours.toFixed(1)} h old` : `VM ${node.vmId} has no ${name}`,
    ...must(
      newest !== undefined,
      `run pulumi up again: it is taken anew where the node still runs ${acceptedVersion}; else the way back is gone`,
    ),
  };
}
