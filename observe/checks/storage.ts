import type { V1Node } from "@kubernetes/client-node";
import type { Settings } from "../../config";
import type { ClusterFacts } from "../cluster";
import { isMarked, isReady, isUpgraded, nameOf } from "../facts";
import { type Finding, must, should } from "../finding";

/**
 * Volumes between two states, and Longhorn's that lack a replica: the next node down may take the last one along. Where a node
 * in its turn may be why, its going on is what mends them: it is held no more, but anybody else's gate is.
 * @param turn whose turn it is judged for; undefined before a run
 */
export function judgeStorage(
  settings: Settings,
  { nodes, attachments, longhornVolumes }: ClusterFacts,
  { turn }: { turn?: string },
): Finding[] {
  const broken = attachments
    .filter(({ status }) => status?.attachError || status?.detachError)
    .map(({ spec, status }) => {
      const { message } = status?.attachError ?? status?.detachError ?? {};
      return `${spec.source.persistentVolumeName} on ${spec.nodeName}: ${message ?? "an error"}`;
    });
  const degraded = longhornVolumes
    .filter(({ status }) => ["degraded", "faulted"].includes(status?.robustness ?? ""))
    .map((volume) => `${nameOf(volume)} is ${volume.status?.robustness}`);
  const bad = [...broken, ...degraded];
  const [why] = nodes
    .filter((node) => mayBeWhy(settings, node))
    .map(nameOf)
    .filter((name) => turn === undefined || name === turn);
  const next = "kubectl get volumeattachments; Longhorn's page of the volume: wait until it is rebuilt";
  return [
    {
      check: "cluster: storage",
      found:
        bad.join(", ") ||
        `${attachments.length} volumes attached, ${longhornVolumes.length} of Longhorn's, all well`,
      wanted: "no volume that cannot be attached, none without all of its replicas",
      ...(why
        ? should(bad.length === 0, `${why} in its turn may be why, and goes on. If it is not: ${next}`)
        : must(bad.length === 0, next)),
    },
  ];
}

/** Whether the node's turn has reached what takes its volumes along. One that still stands as it did is not why. */
const mayBeWhy = (settings: Settings, node: V1Node): boolean =>
  isMarked(settings, node) &&
  (!isReady(node) || node.spec?.unschedulable === true || isUpgraded(settings, node));
