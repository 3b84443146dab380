import { agentUp, type Executed, execute } from "./guestAgent";
import { Machine } from "./machine";

/** A machine as the hypervisor's API shows it. */
export interface MachineStatus {
  readonly name: string;
  readonly vmId: number;
  readonly running: boolean;
  /** Process of the guest's systemd, while it runs. */
  readonly pid?: number;
}

/** What the Proxmox VE stand-in does to machines. All by VM ID; an unknown one is an error. */
export interface Machines {
  list(): Promise<MachineStatus[]>;
  /** Powers on. `linkDown` boots it with the network cable out. */
  start(vmId: number, options?: { linkDown?: boolean }): Promise<void>;
  /** Pulls the plug. */
  stop(vmId: number): Promise<void>;
  /** Asks the guest to power off, and pulls the plug after the seconds given (default 90). */
  shutdown(vmId: number, seconds?: number): Promise<void>;
  /** Runs `action` while the machine stands still. May be nested. */
  freeze<T>(vmId: number, action: () => Promise<T>): Promise<T>;
  /** Keeps the disk under a name, the machine held still meanwhile; one of that name is overwritten. */
  snapshot(vmId: number, name: string): Promise<void>;
  /** Pulls the plug and puts the disk back; does not start the machine. */
  rollback(vmId: number, name: string): Promise<void>;
  removeSnapshot(vmId: number, name: string): Promise<void>;
  /** Copies a machine (or one of its snapshots) to a new VM ID, powered off. */
  clone(vmId: number, snapshot: string | undefined, newId: number, name?: string): Promise<void>;
  /** Pulls the plug and deletes the machine with its snapshots. */
  remove(vmId: number): Promise<void>;
  /** Takes the network carrier away or gives it back. */
  setLink(vmId: number, up: boolean): Promise<void>;
  /** Whether a guest agent would answer: the guest's systemd is far enough to run programs. */
  agentUp(vmId: number): Promise<boolean>;
  /** Runs a program in the guest, as its agent does: as root, started by the guest's own systemd. */
  execute(vmId: number, command: readonly string[], input: string): Promise<Executed>;
}

async function status(machine: Machine): Promise<MachineStatus> {
  const { name, vmId } = machine.record;
  return { name, vmId, running: await machine.running(), pid: await machine.pid() };
}

/** The rehearsal's machines behind the interface that the Proxmox VE stand-in is written on. */
export const machinesForProxmox: Machines = {
  list: async () => Promise.all((await Machine.all()).map(status)),
  start: async (vmId, options) => (await Machine.byVmId(vmId)).start(!options?.linkDown),
  stop: async (vmId) => (await Machine.byVmId(vmId)).kill(),
  shutdown: async (vmId, seconds) => (await Machine.byVmId(vmId)).shutdown(seconds),
  freeze: async (vmId, action) => (await Machine.byVmId(vmId)).frozen(action),
  snapshot: async (vmId, name) => (await Machine.byVmId(vmId)).snapshot(name),
  rollback: async (vmId, name) => (await Machine.byVmId(vmId)).rollback(name),
  removeSnapshot: async (vmId, name) => (await Machine.byVmId(vmId)).disk.removeSnapshot(name),
  clone: async (vmId, snapshot, newId, name) => {
    await (await Machine.byVmId(vmId)).clone(snapshot, newId, name ?? `vm${newId}`);
  },
  remove: async (vmId) => (await Machine.byVmId(vmId)).remove(),
  setLink: async (vmId, up) => (await Machine.byVmId(vmId)).card.setLink(up),
  agentUp: async (vmId) => agentUp(await Machine.byVmId(vmId)),
  execute: async (vmId, command, input) => execute(await Machine.byVmId(vmId), command, input),
};
