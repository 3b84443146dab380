import type { Settings } from "../config";
import { type Facts, type Finding, judgeExport, type RancherFacts } from "../observe";
import type { Look } from "../observe/look";
import { touched } from "./touched";

/** What scripts/rancher-export.sh is told: the beginning of its Backup's name, what is exported, how long, and whether encrypted. Pure. */
export const exportWords = ({ changeId, rancher: { backup } }: Settings): string[] => [
  `rke2up-${changeId.toLowerCase().replaceAll("_", "-")}`,
  backup.resourceSet,
  String(backup.timeoutSeconds),
  backup.encryptionSecret ?? "",
];

/**
 * Whether the export that is ahead can be made, asked before the way back, which takes long. Not once a node is touched: by
 * then it is made, and rancher-backup may wait for the node in its turn. Pure.
 */
export const judgeExportAhead = (
  settings: Settings,
  facts: Facts,
  seen: Look<RancherFacts> | undefined,
): Finding[] =>
  seen && touched(settings, facts, settings.acceptedVersion).nodes.size === 0
    ? judgeExport(settings, seen)
    : [];
