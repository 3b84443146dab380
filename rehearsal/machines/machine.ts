import { spawn } from "node:child_process";
import { mkdir, open, rm } from "node:fs/promises";
import { join } from "node:path";
import { ControlGroup, removeTree } from "./controlGroup";
import { Disk } from "./disk";
import { NetworkCard } from "./network";
import { rehearsalName, runDirectory } from "./paths";
import { until } from "./poll";
import { type MachineRecord, machineDirectory, readRecords, writeRecord } from "./record";

/** A machine of the lab: a systemd that boots on a disk, a network card and a control group of its own. */
export class Machine {
  readonly disk: Disk;
  readonly card: NetworkCard;
  readonly group: ControlGroup;

  constructor(readonly record: MachineRecord) {
    this.disk = new Disk(record.name, record.root);
    this.card = new NetworkCard(record.name, record.vmId);
    this.group = new ControlGroup("machines", record.name);
  }

  /** Every machine there is, by VM ID. */
  static async all(): Promise<Machine[]> {
    return (await readRecords()).map((record) => new Machine(record));
  }

  /** @throws Error when there is none of that VM ID. */
  static async byVmId(vmId: number): Promise<Machine> {
    const machine = (await Machine.all()).find(({ record }) => record.vmId === vmId);
    if (!machine) throw new Error(`no machine has VM ID ${vmId}`);
    return machine;
  }

  /** @throws Error naming those there are when there is none of that name. */
  static async byName(name: string): Promise<Machine> {
    const machines = await Machine.all();
    const machine = machines.find(({ record }) => record.name === name);
    if (!machine) {
      throw new Error(
        `no machine is named ${name}: there are ${machines.map((m) => m.record.name).join(", ")}`,
      );
    }
    return machine;
  }

  /** Makes a machine with an empty disk, powered off. */
  static async create(record: MachineRecord): Promise<Machine> {
    await mkdir(machineDirectory(record.name), { recursive: true });
    await writeRecord(record);
    return new Machine(record);
  }

  /** Whether it is powered on. */
  async running(): Promise<boolean> {
    return this.group.populated();
  }

  /** Process of its systemd, seen from the host; undefined while it is off or not yet that far. */
  async pid(): Promise<number | undefined> {
    return (await this.group.processes("payload/init.scope"))[0];
  }

  /**
   * Powers it on; returns at once, the guest boots by itself.
   * @param linkUp false boots it with its network cable out.
   */
  async start(linkUp = true): Promise<void> {
    if (await this.running()) return;
    const { name, address, prefixLength, gateway, images, bootSeconds } = this.record;
    await this.disk.mount();
    await this.card.plugIn(`${address}/${prefixLength}`, gateway, linkUp);
    await this.group.create();
    await mkdir(runDirectory, { recursive: true });
    const console = await open(join(runDirectory, `${name}.console.log`), "a");
    const child = spawn(
      join(__dirname, "power-on.sh"),
      [name, this.disk.mountPoint, images, this.card.namespace, String(bootSeconds), this.group.path],
      { detached: true, stdio: ["ignore", console.fd, console.fd] },
    );
    child.unref();
    await console.close();
    await until(`${name} to power on`, 20, () => this.running(), 20);
  }

  /** Pulls the plug: every process ends at once, nothing is written any more. */
  async kill(): Promise<void> {
    await this.group.kill();
    await this.disk.unmount();
    await this.card.remove();
  }

  /** Asks the guest to power itself off, and pulls the plug when it has not done so in time. */
  async shutdown(seconds = 90): Promise<void> {
    // systemd-nspawn passes SIGTERM on as the guest's own power-off.
    for (const supervisor of await this.group.processes("supervisor")) process.kill(supervisor, "SIGTERM");
    await until(`${this.record.name} to power off`, seconds, async () => !(await this.running()), 100).catch(
      () => {},
    );
    await this.kill();
  }

  /** Holds it still while something is done to its disk. It notices nothing but a jump of the clock. */
  async frozen<T>(action: () => Promise<T>): Promise<T> {
    if (!(await this.running()) || (await this.group.isFrozen())) return action();
    await this.group.freeze();
    try {
      return await action();
    } finally {
      await this.group.thaw();
    }
  }

  /** Keeps the disk as it is now, the machine held still meanwhile. */
  async snapshot(name: string): Promise<void> {
    await this.frozen(() => this.disk.snapshot(name));
  }

  /** Powers it off and puts a snapshot's disk back. */
  async rollback(name: string): Promise<void> {
    await this.kill();
    await this.disk.rollback(name);
  }

  /**
   * Makes another machine, powered off, with a copy of this one's disk: same
   * address, same host name, same keys, as a clone of a VM has.
   * @param snapshot whose content to copy; undefined copies the present one.
   */
  async clone(snapshot: string | undefined, vmId: number, name: string): Promise<Machine> {
    const copy = await Machine.create({ ...this.record, vmId, name });
    await this.frozen(() => copy.disk.copyFrom(this.disk, snapshot));
    return copy;
  }

  /** Powers it off for good: its processes, mounts, control groups and network. */
  async release(): Promise<void> {
    await this.kill();
    await this.group.remove();
    // What systemd-nspawn leaves on a hybrid host and on every one.
    await removeTree(`/sys/fs/cgroup/systemd/${rehearsalName}/machines/${this.record.name}`);
    await rm(`/run/systemd/nspawn/propagate/${this.record.name}`, { recursive: true, force: true });
  }

  /** Powers it off and deletes it with its disk and snapshots. */
  async remove(): Promise<void> {
    await this.release();
    await rm(machineDirectory(this.record.name), { recursive: true, force: true });
  }
}
