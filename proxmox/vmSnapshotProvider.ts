import type * as pulumi from "@pulumi/pulumi";
import { operatorLog } from "../components/operatorLog";
import { configure, providerContext } from "../components/providerConfig";
import { connect } from "./connect";
import { ownMark } from "./mark";
import { listSnapshots, takeSnapshot } from "./snapshots";
import type { VmSnapshotInputs } from "./vmSnapshot";
import { findVm } from "./vms";

interface Outputs extends VmSnapshotInputs {
  readonly takenAt: string;
  /** The task that made it. */
  readonly upid: string;
  readonly crashConsistent: boolean;
  readonly seconds: number;
}

/**
 * The provider behind {@link VmSnapshot}. Its delete does nothing: only acceptance lets a snapshot go. It has no read:
 * a refresh that found one missing would have the next `up` take another, perhaps of a node already upgraded.
 */
export const provider: pulumi.dynamic.ResourceProvider<VmSnapshotInputs, Outputs> = {
  configure,
  async check(_olds, news) {
    return { inputs: news };
  },
  async diff(_id, olds, news) {
    const replaces = (["name", "vmId"] as const).filter((field) => olds[field] !== news[field]);
    return { changes: replaces.length > 0 || (await isGone(olds)), replaces };
  },
  async create(inputs) {
    return { id: `${inputs.vmId}/${inputs.name}`, outs: await take(inputs) };
  },
  // Somebody deleted it since. Preflight has refused by now where the node is upgraded already.
  async update(_id, _olds, news) {
    return { outs: await take(news) };
  },
  async delete() {},
};

/** Whether Proxmox VE no longer lists it. What cannot be asked is not gone: Preflight stops `up` for that. */
async function isGone({ vmId, name, acceptedVersion }: VmSnapshotInputs): Promise<boolean> {
  const { settings, proxmoxTokenSecret } = providerContext();
  const client = connect(settings, proxmoxTokenSecret);
  try {
    const { host } = await findVm(client, vmId);
    const listed = await listSnapshots(client, host, vmId);
    return !listed.some((one) => one.name === name && one.description.includes(ownMark(acceptedVersion)));
  } catch {
    return false;
  } finally {
    await client.close();
  }
}

/** A failed freeze is no failure: etcd and RKE2 bear a power cut. It is told, and stands in the outputs. */
export const warnCrashConsistent = (vmId: number, name: string): Promise<void> =>
  operatorLog.warn(
    `VM ${vmId}: snapshot ${name} is crash-consistent, as after a power cut: the guest's file systems were not frozen. next: to have them frozen, start qemu-guest-agent in the guest and delete the snapshot; it is good for going back as it is`,
  );

async function take(inputs: VmSnapshotInputs): Promise<Outputs> {
  const { settings, proxmoxTokenSecret } = providerContext();
  const { vmId, name, acceptedVersion, description } = inputs;
  const started = Date.now();
  const deadline = new Date(started + settings.limits.snapshotSeconds * 1000);
  const client = connect(settings, proxmoxTokenSecret);
  try {
    const marked = `${description}\n${ownMark(acceptedVersion)}`;
    const taken = await takeSnapshot(client, vmId, name, marked, deadline);
    if (taken.crashConsistent) await warnCrashConsistent(vmId, name);
    return {
      ...inputs,
      takenAt: taken.snapshot.takenAt.toISOString(),
      upid: taken.upid ?? "",
      crashConsistent: taken.crashConsistent,
      seconds: (Date.now() - started) / 1000,
    };
  } finally {
    await client.close();
  }
}
