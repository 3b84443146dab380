import { z } from "zod";
import type { ProxmoxClient } from "./client";

const config = z.record(z.string(), z.union([z.string(), z.number()]));
const space = z.object({ total: z.number(), avail: z.number(), type: z.string() });

const DISK = /^(?:(?:ide|sata|scsi|virtio)\d+|efidisk0|tpmstate0)$/;

/** A storage's space on one host, bytes. */
export interface Space {
  readonly total: number;
  readonly available: number;
  /** lvmthin, zfspool, rbd … */
  readonly type: string;
}

/** The storages that hold a VM's disks, and so will hold its snapshots. Needs VM.Audit. */
export async function storagesOf(client: ProxmoxClient, host: string, vmId: number): Promise<string[]> {
  const values = await client.get(`/nodes/${host}/qemu/${vmId}/config`, config);
  const found = Object.entries(values).flatMap(([key, value]) => {
    const [volume = ""] = String(value).split(",");
    const isDisk = DISK.test(key) && volume.includes(":") && !String(value).includes("media=cdrom");
    return isDisk ? (volume.split(":")[0] ?? []) : [];
  });
  return [...new Set(found)];
}

/** How much room a storage has on a host. Needs Datastore.Audit. */
export async function readSpace(client: ProxmoxClient, host: string, storage: string): Promise<Space> {
  const path = `/nodes/${host}/storage/${encodeURIComponent(storage)}/status`;
  const { total, avail, type } = await client.get(path, space);
  return { total, available: avail, type };
}
