import type { Settings } from "../../config";
import type { ClusterFacts } from "../cluster";
import { nameOf } from "../facts";
import { type Finding, must } from "../finding";

/** Volumes between two states, and Longhorn's that lack a replica: the next node down may take the last one along. */
export function judgeStorage(_: Settings, { attachments, longhornVolumes }: ClusterFacts): Finding[] {
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
  return [
    {
      check: "cluster: storage",
      found:
        bad.join(", ") ||
        `${attachments.length} volumes attached, ${longhornVolumes.length} of Longhorn's, all well`,
      wanted: "no volume that cannot be attached, none without all of its replicas",
      ...must(
        bad.length === 0,
        "kubectl get volumeattachments; Longhorn's page of the volume: wait until it is rebuilt",
      ),
    },
  ];
}
