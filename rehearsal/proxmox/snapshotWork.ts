/**
 * What happens to a VM inside the tasks qmsnapshot, qmdelsnapshot and qmrollback: each step, its checks and their
 * order follow PVE::AbstractConfig. Failing after the lock is set leaves different things behind: making cleans up
 * after itself, deleting and going back leave the lock, which an operator has to take away (`qm unlock`).
 */
import type { Cluster } from "./cluster";
import { PveError } from "./errors";
import { isRunning, type Site } from "./method";
import { type Feature, hasFeature, rollsBackOnlyToNewest, volumesOf } from "./storage";
import type { Log } from "./tasks";
import { type ConfigValues, checkLock, type SnapshotRecord, type VmConfig } from "./vms";

/** A snapshot of a VM: the VM's host and ID, and the snapshot's name. */
export interface SnapshotOf {
  readonly node: string;
  readonly vmId: number;
  readonly name: string;
}

/** Whether every volume's storage offers the feature. */
export function vmHasFeature(
  cluster: Cluster,
  values: ConfigValues,
  feature: Feature,
  ofSnapshot: boolean,
): boolean {
  return volumesOf(values).every((volume) => {
    const storage = cluster.storages[volume.storage];
    if (!storage) throw new PveError(`storage '${volume.storage}' does not exist`);
    return hasFeature(storage, volume, feature, ofSnapshot);
  });
}

/** @throws PveError where the config has no such snapshot */
export function snapshotOf(config: VmConfig, name: string): SnapshotRecord {
  const snapshot = config.snapshots[name];
  if (!snapshot) throw new PveError(`snapshot '${name}' does not exist`);
  return snapshot;
}

/** Makes a snapshot. */
export async function create(
  site: Site,
  { node, vmId, name }: SnapshotOf,
  wish: { description?: string; vmstate: boolean },
  log: Log,
): Promise<void> {
  const running = await isRunning(site, vmId);
  const cluster = site.clusterFile.read();
  const { values } = site.vms.update(node, vmId, (config) => {
    checkLock(config);
    if (config.snapshots[name]) throw new PveError(`snapshot name '${name}' already used`);
    if (!vmHasFeature(cluster, config.values, "snapshot", false)) {
      throw new PveError("snapshot feature is not available");
    }
    // Better a refusal than a snapshot that claims to hold RAM: the machines here have none of their own.
    if (wish.vmstate && running) throw new PveError("not simulated: vmstate=1 for a running VM");
    config.lock = "snapshot";
    config.snapshots[name] = {
      snaptime: Math.floor(Date.now() / 1000),
      ...(wish.description && { description: asKept(wish.description) }),
      ...(config.parent && { parent: config.parent }),
      snapstate: "prepare",
      config: config.values,
    };
  });
  try {
    if (running) logFreeze(site, vmId, values, log);
    for (const { key, id } of volumesOf(values)) log(`snapshotting 'drive-${key}' (${id})`);
    await site.tasks.takeTime();
    failIfTold(site, "qmsnapshot", vmId, `lvcreate snapshot ${firstSnapshotVolume(values, name)}`);
    await site.guests.snapshot(vmId, name);
    for (const { id } of volumesOf(values)) {
      log(`  Logical volume "snap_${id.split(":")[1]}_${name}" created.`);
    }
  } catch (error) {
    log("snapshot create failed: starting cleanup");
    site.vms.update(node, vmId, (config) => {
      delete config.snapshots[name];
      delete config.lock;
    });
    throw error;
  }
  site.vms.update(node, vmId, (config) => {
    delete snapshotOf(config, name).snapstate;
    delete config.lock;
    config.parent = name;
  });
}

/** The guest's file systems are frozen through its agent; where that cannot be, the log says so and nothing else. */
function logFreeze(site: Site, vmId: number, values: ConfigValues, log: Log): void {
  if (!String(values.agent ?? "").startsWith("1")) {
    log("skipping guest filesystem freeze - disabled in VM options");
  } else if (site.faults.isOn(`agent-down-${vmId}`)) {
    log("skipping guest filesystem freeze - agent configured but not running?");
  }
}

/** Deletes a snapshot. */
export async function remove(
  site: Site,
  { node, vmId, name }: SnapshotOf,
  force: boolean,
  log: Log,
): Promise<void> {
  const { values } = site.vms.update(node, vmId, (config) => {
    const snapshot = snapshotOf(config, name);
    checkLock(config);
    config.lock = "snapshot-delete";
    snapshot.snapstate = "delete";
  });
  await site.tasks.takeTime();
  try {
    failIfTold(site, "qmdelsnapshot", vmId, `lvremove snapshot ${firstSnapshotVolume(values, name)}`);
    await site.guests.removeSnapshot(vmId, name);
  } catch (error) {
    if (!force) throw error;
    log(error instanceof Error ? error.message : String(error));
  }
  for (const { id } of volumesOf(values)) {
    log(`  Logical volume "snap_${id.split(":")[1]}_${name}" successfully removed.`);
  }
  site.vms.update(node, vmId, (config) => {
    const { parent } = snapshotOf(config, name);
    delete config.snapshots[name];
    for (const child of [config, ...Object.values(config.snapshots)]) {
      if (child.parent === name) child.parent = parent;
    }
    delete config.lock;
  });
}

/** Stops the VM hard and puts a snapshot's disks and config in place of the present ones. */
export async function rollback(
  site: Site,
  { node, vmId, name }: SnapshotOf,
  start: boolean,
  log: Log,
): Promise<void> {
  const before = site.vms.load(node, vmId);
  const snapshot = snapshotOf(before, name);
  refuseOlder(site.clusterFile.read(), before, name, snapshot);
  if (snapshot.snapstate) {
    throw new PveError(`unable to rollback to incomplete snapshot (snapstate = ${snapshot.snapstate})`);
  }
  site.vms.update(node, vmId, (config) => {
    checkLock(config);
    config.lock = "rollback";
  });
  if (await isRunning(site, vmId)) await site.guests.stop(vmId);
  await site.tasks.takeTime();
  failIfTold(site, "qmrollback", vmId, `lvm rollback ${firstSnapshotVolume(snapshot.config, name)}`);
  await site.guests.rollback(vmId, name);
  for (const { id } of volumesOf(snapshot.config)) log(`  Logical volume "${id.split(":")[1]}" created.`);
  site.vms.update(node, vmId, (config) => {
    const { description } = config.values;
    config.values = { ...snapshot.config, ...(description !== undefined && { description }) };
    config.parent = name;
    delete config.lock;
  });
  if (start) await site.guests.start(vmId);
}

/** Some storages go back to the newest snapshot alone. */
function refuseOlder(cluster: Cluster, config: VmConfig, name: string, snapshot: SnapshotRecord): void {
  const newer = Object.values(config.snapshots).some(
    (other) => other.snaptime > snapshot.snaptime || other.parent === name,
  );
  for (const { id, storage } of volumesOf(snapshot.config)) {
    const kind = cluster.storages[storage];
    if (newer && kind && rollsBackOnlyToNewest(kind)) {
      throw new PveError(`can't rollback, '${name}' is not most recent snapshot on '${id}'`);
    }
  }
}

/** A description as a config keeps it: comment lines, each of which is read back with its end. */
export function asKept(description: string): string {
  return `${description.replace(/\n+$/, "")}\n`;
}

/** The thin volume that holds a snapshot of the VM's first disk, as LVM's messages name it. */
function firstSnapshotVolume(values: ConfigValues, name: string): string {
  const [group = "", volume = ""] = (volumesOf(values)[0]?.id ?? "").split(":");
  return `'${group}/snap_${volume}_${name}'`;
}

/** @param work the command of Proxmox VE's LVM plugin that fails, where the fault has no words of its own */
function failIfTold({ faults }: Site, type: string, vmId: number, work: string): void {
  const why = faults.ofTask(type, vmId);
  if (why !== undefined) throw new PveError(why || `${work} error: exit code 5`);
}
