import { existsSync } from "node:fs";
import { mkdir, readdir, rename } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Machine } from "../machines/machine";
import { readJson, writeJson } from "../proxmox/files";
import type { VmConfig } from "../proxmox/vms";
import { type Fault, required } from "./fault";
import { readState } from "./state";

/** A VM ID, given as such or as its machine's name. */
export async function vmId(typed: string): Promise<string> {
  return /^\d+$/.test(typed) ? typed : String((await Machine.byName(typed)).record.vmId);
}

/** A second disk, whose storage a fault changes. */
const DISK = "scsi1";
const RAW = /^local:(\d+)\/vm-\d+-disk-(\d+)\.raw/;

/**
 * Faults of VMs' configs in /etc/pve: the stand-in's are changed or moved, and put back.
 * @param directory the stand-in's state
 * @param pool the storage of the VMs' disks
 */
export function vmFaults(directory: string, pool: string): Readonly<Record<string, Fault>> {
  // Where a VM's config lies is where the VM is; in no host's folder it is nowhere.
  const configOf = (host: string, vm: string, root = "nodes") =>
    join(directory, root, host, "qemu-server", `${vm}.json`);

  /** The host of each VM below a folder of hosts, by VM ID. */
  async function places(root = "nodes"): Promise<Map<string, string>> {
    const found = new Map<string, string>();
    for (const host of await readdir(join(directory, root)).catch(() => []))
      for (const name of await readdir(join(directory, root, host, "qemu-server")).catch(() => []))
        found.set(name.replace(".json", ""), host);
    return found;
  }

  async function move(vm: string, from: string, to: string): Promise<void> {
    await mkdir(dirname(to), { recursive: true });
    if (existsSync(from)) await rename(from, to);
    else throw new Error(`there is no VM ${vm}`);
  }

  async function configFile(vm: string): Promise<string> {
    const host = (await places()).get(vm);
    if (!host) throw new Error(`there is no VM ${vm}`);
    return configOf(host, vm);
  }

  const sharesHost: Fault = {
    usage: "shares-host <vm> [<host>]",
    effect: "that VM runs on another host (that of the first server by default); off: back on its own",
    async set(on, vm, host) {
      const { nodes } = (await readState()).stack;
      const id = await vmId(required(vm, this.usage));
      const now = (await places()).get(id);
      const home = nodes.find((node) => String(node.vmId) === id)?.proxmoxNode;
      const target = on ? (host ?? nodes[0]?.proxmoxNode) : home;
      if (now && target && now !== target) await move(id, configOf(now, id), configOf(target, id));
    },
    async active() {
      const { nodes } = (await readState()).stack;
      const now = await places();
      return nodes
        .filter(({ vmId, proxmoxNode }) => now.has(String(vmId)) && now.get(String(vmId)) !== proxmoxNode)
        .map(({ vmId }) => `shares-host ${vmId} ${now.get(String(vmId))}`);
    },
  };

  const missing: Fault = {
    usage: "vm-missing <vm>",
    effect: "that VM's config is gone from /etc/pve while it runs on: Proxmox VE does not list it",
    async set(on, vm) {
      const id = await vmId(required(vm, this.usage));
      const [here, gone] = [(await places()).get(id), (await places("unregistered")).get(id)];
      if (on && here) await move(id, configOf(here, id), configOf(here, id, "unregistered"));
      if (!on && gone) await move(id, configOf(gone, id, "unregistered"), configOf(gone, id));
      if (!here && !gone) throw new Error(`there is no VM ${id}`);
    },
    active: async () => [...(await places("unregistered")).keys()].map((id) => `vm-missing ${id}`),
  };

  const noSnapshots: Fault = {
    usage: "no-snapshots <vm>",
    effect: "that VM's second disk is raw on a directory, which takes no snapshots",
    async set(on, vm) {
      const id = await vmId(required(vm, this.usage));
      const path = await configFile(id);
      const config = readJson<VmConfig>(path);
      const disk = String(config?.values[DISK]);
      const raw = disk.replace(/^[^:]+:vm-(\d+)-disk-(\d+)/, "local:$1/vm-$1-disk-$2.raw");
      const changed = on ? raw : disk.replace(RAW, `${pool}:vm-$1-disk-$2`);
      if (config) writeJson(path, { ...config, values: { ...config.values, [DISK]: changed } });
    },
    async active() {
      const isRaw = ([id, host]: [string, string]) =>
        RAW.test(String(readJson<VmConfig>(configOf(host, id))?.values[DISK]));
      return [...(await places())].filter(isRaw).map(([id]) => `no-snapshots ${id}`);
    },
  };

  return { "shares-host": sharesHost, "vm-missing": missing, "no-snapshots": noSnapshots };
}
