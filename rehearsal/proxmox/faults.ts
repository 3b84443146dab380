import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";

/**
 * What goes wrong, by files in a folder that are looked for at each use; a file's text, where it has one, replaces
 * the default that stands in brackets.
 *
 * - `vm-locked-<vmid>`: another operation holds the VM's lock [`backup`]
 * - `task-fails-<type>`, `task-fails-<type>-<vmid>`: tasks of the type (qmsnapshot, qmdelsnapshot, qmrollback) fail
 *   at the storage [an LVM error]
 * - `task-seconds`: how long each task takes
 * - `agent-down-<vmid>`: the guest agent is configured but not running
 * - `agent-exec-blocked-<vmid>`: the guest's distribution forbids its agent to run programs
 * - `node-offline-<node>`: the host is unreachable
 * - `node-hangs-<node>`: the host takes connections and answers nothing
 * - `snapshots-old-<vmid>`: the snapshots that the VM has when this is switched on are two days older than they are
 */
export class Faults {
  constructor(private readonly directory: string) {}

  /** The fault's text, trimmed and perhaps empty; undefined while it is off. */
  text(name: string): string | undefined {
    try {
      return readFileSync(join(this.directory, name), "utf8").trim();
    } catch {
      return undefined;
    }
  }

  isOn(name: string): boolean {
    return this.text(name) !== undefined;
  }

  /** Why tasks of this type fail for the VM, perhaps empty; undefined if they do not. */
  ofTask(type: string, vmId: number): string | undefined {
    return this.text(`task-fails-${type}-${vmId}`) ?? this.text(`task-fails-${type}`);
  }

  /** When a snapshot was taken, seconds since the epoch, as the API is to say it. */
  snapshotTime(vmId: number, taken: number): number {
    const since = statSync(join(this.directory, `snapshots-old-${vmId}`), { throwIfNoEntry: false })?.mtimeMs;
    return since !== undefined && taken * 1000 <= since ? taken - 2 * 86_400 : taken;
  }

  /** Seconds that a task takes, where that is told. */
  taskSeconds(): number | undefined {
    const told = this.text("task-seconds");
    return told ? Number(told) : undefined;
  }
}
