/** What a VM's config says: read once, then asked. Needs VM.Audit. */
import { z } from "zod";
import type { ProxmoxClient } from "./client";
import type { VmPlace } from "./vms";

const config = z.record(z.string(), z.union([z.string(), z.number()]));

/** A VM's options by their names, as Proxmox VE writes them. */
export type VmConfig = Readonly<Record<string, string | number>>;

export const readConfig = (
  client: ProxmoxClient,
  { host, vmId }: Pick<VmPlace, "host" | "vmId">,
): Promise<VmConfig> => client.get(`/nodes/${host}/qemu/${vmId}/config`, config);

/** Its network cards, by option: `net0`, `virtio=BC:24:11:00:0B:B9,bridge=vmbr0`. */
export const cardsIn = (values: VmConfig): [option: string, card: string][] =>
  Object.entries(values).flatMap(([key, value]) => (/^net\d+$/.test(key) ? [[key, String(value)]] : []));

/** Their hardware addresses, lower case. */
export const hardwareAddressesIn = (values: VmConfig): string[] =>
  cardsIn(values).flatMap(
    ([, card]) => card.match(/(?:[0-9a-f]{2}:){5}[0-9a-f]{2}/i)?.[0].toLowerCase() ?? [],
  );

const DISK = /^(?:(?:ide|sata|scsi|virtio)\d+|efidisk0|tpmstate0)$/;

/** The storages that hold its disks, and so will hold its snapshots. */
export function storagesIn(values: VmConfig): string[] {
  const found = Object.entries(values).flatMap(([key, value]) => {
    const [volume = ""] = String(value).split(",");
    const isDisk = DISK.test(key) && volume.includes(":") && !String(value).includes("media=cdrom");
    return isDisk ? (volume.split(":")[0] ?? []) : [];
  });
  return [...new Set(found)];
}

/** Whether Proxmox VE asks its guest agent: `1`, `enabled=1,fstrim_cloned_disks=1`. */
export const isAgentOn = ({ agent = "" }: VmConfig): boolean =>
  /^(enabled=)?1(,|$)|,enabled=1(,|$)/.test(String(agent));

/** Its memory, MiB. Newer releases write `current=16384`; where it is left out it is 512. */
export const memoryOf = ({ memory = 512 }: VmConfig): number => Number(/\d+/.exec(String(memory)));
