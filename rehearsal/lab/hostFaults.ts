import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { proxmoxDirectory } from "../machines/paths";
import { type Fault, present, required } from "./fault";
import { siteFaults } from "./siteFaults";
import { vmId } from "./vmFaults";

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

const taskKinds = ["qmsnapshot", "qmdelsnapshot", "qmrollback"];

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
  ...siteFaults(proxmoxDirectory),
};
