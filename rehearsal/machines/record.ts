import { existsSync } from "node:fs";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { machinesDirectory } from "./paths";

/** What the hypervisor knows of a machine; the rest stands on the machine's disk. */
export interface MachineRecord {
  readonly name: string;
  readonly vmId: number;
  /** Its IPv4 address. A clone has its origin's, as a cloned guest has. */
  readonly address: string;
  readonly prefixLength: number;
  readonly gateway: string;
  /** The base root below its disk. */
  readonly root: string;
  /** Folder of container images' binaries. */
  readonly images: string;
  /** Seconds that firmware and kernel take before systemd starts. */
  readonly bootSeconds: number;
}

/** A machine's own folder: its record, disk and snapshots. */
export const machineDirectory = (name: string): string => join(machinesDirectory, name);

const recordFile = (name: string) => join(machineDirectory(name), "machine.json");

/** Writes a machine's record; its folder exists. */
export async function writeRecord(record: MachineRecord): Promise<void> {
  await writeFile(recordFile(record.name), `${JSON.stringify(record, null, 2)}\n`);
}

/** Every machine there is, by VM ID. */
export async function readRecords(): Promise<MachineRecord[]> {
  if (!existsSync(machinesDirectory)) return [];
  const names = (await readdir(machinesDirectory)).filter((name) => existsSync(recordFile(name)));
  const records = await Promise.all(
    names.map(async (name) => JSON.parse(await readFile(recordFile(name), "utf8")) as MachineRecord),
  );
  return records.sort((a, b) => a.vmId - b.vmId);
}
