import type { Executed } from "../../../rehearsal/machines/guestAgent";
import type { Guests } from "../../../rehearsal/proxmox/method";

/** What a test can see of one machine in memory. */
export interface MemoryGuest {
  running: boolean;
  /** Stands for the disk. */
  disk: string;
  readonly snapshots: Map<string, string>;
  starts: number;
  linkUp: boolean;
}

/** What a guest answers when its agent is to run something. */
export type Answering = (command: readonly string[], input: string) => Promise<Executed>;

/** A test double for the rehearsal's machines: each is a flag and a text that stands for its disk. */
export class MemoryGuests implements Guests {
  readonly guests = new Map<number, MemoryGuest>();
  /** Operations in their order, as `stop 3001`. */
  readonly history: string[] = [];
  /** Set it to play a guest. */
  answer: Answering = async () => ({ code: 0, stdout: "", stderr: "" });

  constructor(vmIds: readonly number[]) {
    for (const vmId of vmIds) this.add(vmId, true, "v1");
  }

  private add(vmId: number, running: boolean, disk: string): void {
    this.guests.set(vmId, { running, disk, snapshots: new Map(), starts: 0, linkUp: true });
  }

  guest(vmId: number): MemoryGuest {
    const guest = this.guests.get(vmId);
    if (!guest) throw new Error(`no machine has VM ID ${vmId}`);
    return guest;
  }

  private note(what: string, vmId: number): MemoryGuest {
    this.history.push(`${what} ${vmId}`);
    return this.guest(vmId);
  }

  async list() {
    return [...this.guests].map(([vmId, { running }]) => ({ name: `vm${vmId}`, vmId, running }));
  }

  async start(vmId: number, { linkDown }: { linkDown?: boolean } = {}) {
    const guest = this.note("start", vmId);
    guest.running = true;
    guest.linkUp = !linkDown;
    guest.starts += 1;
  }

  async stop(vmId: number) {
    this.note("stop", vmId).running = false;
  }

  async shutdown(vmId: number) {
    this.note("shutdown", vmId).running = false;
  }

  async snapshot(vmId: number, name: string) {
    const guest = this.note("snapshot", vmId);
    guest.snapshots.set(name, guest.disk);
  }

  async rollback(vmId: number, name: string) {
    const guest = this.note("rollback", vmId);
    const disk = guest.snapshots.get(name);
    if (disk === undefined) throw new Error(`no snapshot ${name}`);
    Object.assign(guest, { disk, running: false });
  }

  async removeSnapshot(vmId: number, name: string) {
    this.note("removeSnapshot", vmId).snapshots.delete(name);
  }

  async clone(vmId: number, snapshot: string | undefined, newId: number) {
    const { disk, snapshots } = this.note("clone", vmId);
    this.add(newId, false, snapshot === undefined ? disk : (snapshots.get(snapshot) ?? ""));
  }

  async setLink(vmId: number, up: boolean) {
    this.guest(vmId).linkUp = up;
  }

  async agentUp(vmId: number) {
    return this.guest(vmId).running;
  }

  async execute(vmId: number, command: readonly string[], input: string) {
    this.note("execute", vmId);
    return this.answer(command, input);
  }

  async remove(vmId: number) {
    this.note("remove", vmId);
    this.guests.delete(vmId);
  }
}
