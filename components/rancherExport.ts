import type { Settings } from "../config";

/** What scripts/rancher-export.sh is told: the beginning of its Backup's name, what is exported, how long, and whether encrypted. Pure. */
export const exportWords = ({ changeId, rancher: { backup } }: Settings): string[] => [
  `rke2up-${changeId.toLowerCase().replaceAll("_", "-")}`,
  backup.resourceSet,
  String(backup.timeoutSeconds),
  backup.encryptionSecret ?? "",
];
