import { readdir, readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import { Machine } from "../machines/machine";
import { proxmoxDirectory } from "../machines/paths";
import { ClusterFile } from "../proxmox/cluster";
import { type Fault, present, required } from "./fault";
import { readState } from "./state";

const proxmoxFaults = join(proxmoxDirectory, "faults");

/** A fault of the Proxmox VE stand-in, which looks for files of these names. */
function fileFault(
  prefix: string,
  usage: string,
  effect: string,
  word: (typed: string) => Promise<string>,
): Fault {
  return {
    usage,
    effect,
    async set(on, ...words) {
      const parts = await Promise.all([required(words[0], usage), ...words.slice(1)].map(word));
      await present(join(proxmoxFaults, [prefix, ...parts].join("-")), on);
    },
    async active() {
      const files = await readdir(proxmoxFaults).catch(() => []);
      return files
        .filter((file) => file.startsWith(`${prefix}-`))
        .map((file) => `${prefix} ${file.slice(prefix.length + 1).replaceAll("-", " ")}`);
    },
  };
}

/** A VM ID, given as such or as its machine's name. */
async function vmId(typed: string): Promise<string> {
  return /^\d+$/.test(typed) ? typed : String((await Machine.byName(typed)).record.vmId);
}

const taskKinds = ["qmsnapshot", "qmdelsnapshot", "qmrollback"];

/** Where VMs' configs lie is where the VMs are. */
const configOf = (host: string, vm: string) =>
  join(proxmoxDirectory, "nodes", host, "qemu-server", `${vm}.json`);

/** The host of each VM now, by VM ID. */
async function places(): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const host of await readdir(join(proxmoxDirectory, "nodes")))
    for (const file of await readdir(join(proxmoxDirectory, "nodes", host, "qemu-server")).catch(() => []))
      found.set(file.replace(".json", ""), host);
  return found;
}

const sharesHost: Fault = {
  usage: "shares-host <vm> [<host>]",
  effect: "that VM runs on another host (that of the first server by default); off: back on its own",
  async set(on, vm, host) {
    const { nodes } = (await readState()).stack;
    const id = await vmId(required(vm, this.usage));
    const [now, home] = [
      (await places()).get(id),
      nodes.find((node) => String(node.vmId) === id)?.proxmoxNode,
    ];
    const target = on ? (host ?? nodes[0]?.proxmoxNode) : home;
    if (now && target && now !== target) await rename(configOf(now, id), configOf(target, id));
  },
  async active() {
    const { nodes } = (await readState()).stack;
    const now = await places();
    return nodes
      .filter(({ vmId, proxmoxNode }) => now.has(String(vmId)) && now.get(String(vmId)) !== proxmoxNode)
      .map(({ vmId }) => `shares-host ${vmId} ${now.get(String(vmId))}`);
  },
};

const POOL = "nvmethin01";
const FULL = 0.95;
const USUAL = 1 / 3;

const storageFull: Fault = {
  usage: "storage-full",
  effect: `Proxmox VE's storage ${POOL} is 95 % full on every host`,
  async set(on) {
    const file = new ClusterFile(proxmoxDirectory);
    const { storages } = file.read();
    const pool = storages[POOL];
    if (!pool) throw new Error(`there is no storage ${POOL}`);
    file.change({ storages: { ...storages, [POOL]: { ...pool, used: pool.total * (on ? FULL : USUAL) } } });
  },
  async active() {
    const text = await readFile(join(proxmoxDirectory, "cluster.json"), "utf8").catch(() => "{}");
    const pool = JSON.parse(text).storages?.[POOL];
    return pool && pool.used / pool.total >= FULL ? ["storage-full"] : [];
  },
};

/** Faults of Proxmox VE, by name. */
export const hostFaults: Readonly<Record<string, Fault>> = {
  "vm-locked": fileFault("vm-locked", "vm-locked <vm>", "Proxmox VE holds a lock on that VM", vmId),
  "task-fails": fileFault(
    "task-fails",
    `task-fails ${taskKinds.join("|")} [<vm>]`,
    "Proxmox VE tasks of that kind fail",
    async (typed) => (taskKinds.includes(typed) ? typed : vmId(typed)),
  ),
  "agent-down": fileFault("agent-down", "agent-down <vm>", "that VM's guest agent does not answer", vmId),
  "snapshots-old": fileFault(
    "snapshots-old",
    "snapshots-old <vm>",
    "the snapshots that VM has now are two days older",
    vmId,
  ),
  "node-offline": fileFault(
    "node-offline",
    "node-offline <host>",
    "that Proxmox VE host is unreachable",
    async (typed) => typed,
  ),
  "node-hangs": fileFault(
    "node-hangs",
    "node-hangs <host>",
    "that Proxmox VE host takes connections and answers nothing",
    async (typed) => typed,
  ),
  "shares-host": sharesHost,
  "storage-full": storageFull,
};
