/** What the kinds of storage can do, from the plugins of Proxmox VE's own storage library. */

/** A storage of the cluster; bytes. */
export interface StorageConfig {
  readonly type: "dir" | "lvmthin" | "zfspool";
  readonly content: string;
  readonly total: number;
  readonly used: number;
}

/** What may be asked of a volume (GET …/feature). */
export type Feature = "snapshot" | "clone" | "copy";

/** A VM's disk: the config key, its volume's ID and the storage that holds it. */
export interface Volume {
  readonly key: string;
  readonly id: string;
  readonly storage: string;
}

const DISK = /^(?:ide|sata|scsi|virtio)\d+$|^efidisk0$|^tpmstate0$/;

/** The volumes of a VM's config, CD drives aside. */
export function volumesOf(config: Readonly<Record<string, string | number>>): Volume[] {
  return Object.entries(config).flatMap(([key, value]) => {
    const [id = ""] = String(value).split(",");
    if (!DISK.test(key) || !id.includes(":") || String(value).includes("media=cdrom")) return [];
    return [{ key, id, storage: id.split(":")[0] ?? "" }];
  });
}

/**
 * Whether a storage offers a feature for a volume.
 * @param ofSnapshot the question is about one of the volume's snapshots
 */
export function hasFeature(
  storage: StorageConfig,
  volume: Volume,
  feature: Feature,
  ofSnapshot: boolean,
): boolean {
  const isBase = volume.id.includes("base-");
  const isQcow2 = volume.id.endsWith(".qcow2");
  if (feature === "copy") return !ofSnapshot || storage.type === "lvmthin" || isQcow2;
  switch (storage.type) {
    case "lvmthin":
      return feature === "snapshot" ? !ofSnapshot : isBase || ofSnapshot;
    case "zfspool":
      return feature === "snapshot" ? true : isBase;
    case "dir":
      return isQcow2 && (feature === "snapshot" || isBase);
  }
}

/** ZFS goes back to the newest snapshot alone: any other would have to destroy those taken since. */
export function rollsBackOnlyToNewest(storage: StorageConfig): boolean {
  return storage.type === "zfspool";
}
