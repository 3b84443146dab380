import { hash } from "node:crypto";
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { hardwareAddress } from "../machines/network";
import { PveError } from "./errors";
import type { Faults } from "./faults";
import { readJson, writeJson } from "./files";
import type { TopologyVm } from "./topology";

export type ConfigValues = Readonly<Record<string, string | number>>;

/** A snapshot as a VM's config keeps it. */
export interface SnapshotRecord {
  /** Seconds since 1970. */
  readonly snaptime: number;
  readonly description?: string;
  parent?: string;
  /** Set while it is being made or deleted, and left when that failed. */
  snapstate?: "prepare" | "delete";
  /** The VM's config at that time. */
  readonly config: ConfigValues;
}

/** A VM's config. */
export interface VmConfig {
  values: ConfigValues;
  /** The operation that holds the VM, or that left its lock behind. */
  lock?: string;
  /** The snapshot that the present state descends from. */
  parent?: string;
  readonly snapshots: Record<string, SnapshotRecord>;
}

/**
 * The VMs' configs, a file each below its host, as /etc/pve has them: where the file lies is where the VM is, and
 * what it says counts at each use. Moving it migrates the VM.
 */
export class Vms {
  constructor(
    private readonly directory: string,
    private readonly faults: Faults,
  ) {}

  private file(node: string, vmId: number): string {
    return join(this.directory, "nodes", node, "qemu-server", `${vmId}.json`);
  }

  /** All VMs with their hosts, by ID. */
  list(): { vmId: number; node: string; config: VmConfig }[] {
    return this.entries(join(this.directory, "nodes"))
      .flatMap((node) =>
        this.entries(join(this.directory, "nodes", node, "qemu-server")).map((name) => {
          const vmId = Number.parseInt(name, 10);
          return { vmId, node, config: this.load(node, vmId) };
        }),
      )
      .sort((a, b) => a.vmId - b.vmId);
  }

  private entries(directory: string): string[] {
    try {
      return readdirSync(directory).filter((name) => !name.endsWith(".new"));
    } catch {
      return [];
    }
  }

  /** @throws PveError where the host has no such VM */
  load(node: string, vmId: number): VmConfig {
    const config = readJson<VmConfig>(this.file(node, vmId));
    if (!config) {
      throw new PveError(`Configuration file 'nodes/${node}/qemu-server/${vmId}.conf' does not exist`);
    }
    const foreign = this.faults.text(`vm-locked-${vmId}`);
    return foreign !== undefined && !config.lock ? { ...config, lock: foreign || "backup" } : config;
  }

  save(node: string, vmId: number, config: VmConfig): void {
    writeJson(this.file(node, vmId), config);
  }

  /** Loads a config, lets it be changed and saves it, in one step. */
  update(node: string, vmId: number, change: (config: VmConfig) => void): VmConfig {
    const config = this.load(node, vmId);
    change(config);
    this.save(node, vmId, config);
    return config;
  }

  /**
   * Takes away the lock that an operation has left, as `qm unlock` does.
   * @throws PveError where no host has such a VM
   */
  unlock(vmId: number): void {
    const found = this.list().find((vm) => vm.vmId === vmId);
    if (!found) throw new PveError(`VM ${vmId} does not exist`);
    this.update(found.node, vmId, (config) => {
      delete config.lock;
    });
  }

  remove(node: string, vmId: number): void {
    rmSync(this.file(node, vmId));
  }

  /** Writes configs like the lab's (procedure, §2) for VMs that have none anywhere. */
  create(vms: readonly TopologyVm[]): void {
    const known = new Set(this.list().map(({ vmId }) => vmId));
    for (const vm of vms) {
      if (!known.has(vm.vmId)) this.save(vm.proxmoxNode, vm.vmId, { values: firstValues(vm), snapshots: {} });
    }
  }
}

/** @throws PveError while another operation holds the VM */
export function checkLock(config: VmConfig): void {
  if (config.lock) throw new PveError(`VM is locked (${config.lock})`);
}

/** A config's digest, by which concurrent changes are told. */
export function digestOf(config: VmConfig): string {
  return hash("sha1", JSON.stringify(config));
}

/** A GPU passed through wants q35 and rules RAM snapshots out. */
function firstValues({ name, vmId, gpu }: TopologyVm): ConfigValues {
  const volume = (disk: number) => `nvmethin01:vm-${vmId}-disk-${disk}`;
  return {
    agent: "1",
    boot: "order=scsi0",
    cores: 4,
    memory: "16384",
    name,
    net0: `virtio=${hardwareAddress(vmId)},bridge=vmbr0,tag=20`,
    onboot: 1,
    ostype: "l26",
    scsi0: `${volume(0)},discard=on,size=32G`,
    scsi1: `${volume(1)},discard=on,size=1T`,
    scsihw: "virtio-scsi-single",
    sockets: 1,
    tpmstate0: `${volume(2)},size=4M,version=v2.0`,
    ...(gpu ? { hostpci0: "mapping=gpu0,pcie=1", machine: "q35" } : {}),
  };
}
