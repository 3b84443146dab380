import type * as pulumi from "@pulumi/pulumi";
import { operatorLog } from "../components/operatorLog";
import { configure, providerContext } from "../components/providerConfig";
import { takeAtRest } from "../components/takeAtRest";
import { isUntouched } from "../components/touched";
import { lookAtNode } from "../observe";
import { withProxmox } from "./connect";
import { ownMark } from "./mark";
import { listSnapshots, takeSnapshot } from "./snapshots";
import type { VmSnapshotInputs } from "./vmSnapshot";
import { findVm } from "./vms";

/** Inputs as the engine hands them over. */
interface Inputs extends VmSnapshotInputs {
  readonly owner?: string;
}

interface Outputs extends Inputs {
  /** ISO 8601, by the host's clock. */
  readonly takenAt: string;
  /** The task that made it. */
  readonly upid: string;
  /** The guest's file systems were not proven to be frozen: as after a power cut. */
  readonly crashConsistent: boolean;
  /** How long it took, waiting for others included. */
  readonly seconds: number;
}

/**
 * The provider behind {@link VmSnapshot}. It has no delete: only acceptance lets a snapshot go. It has no read:
 * a refresh that found one missing would have the next `up` take another, perhaps of a node already upgraded.
 */
export const provider: pulumi.dynamic.ResourceProvider<Inputs, Outputs> = {
  configure,
  async diff(_id, olds, news) {
    if (goesBack()) return { changes: false };
    const replaces = (["name", "vmId"] as const).filter((field) => olds[field] !== news[field]);
    return { changes: replaces.length > 0 || (await isGone(olds)), replaces };
  },
  async create(inputs) {
    const outs = goesBack() ? notTaken(inputs) : await take(inputs);
    return { id: `${inputs.vmId}/${inputs.name}`, outs };
  },
  // Somebody deleted it since.
  async update(_id, _olds, news) {
    return { outs: await takeAgain(news) };
  },
};

/** While going back none is taken: what a node is by then is no way back. */
const goesBack = (): boolean => providerContext().settings.goBack !== undefined;

/** A change that goes back before its snapshots were taken; going forward again finds it gone, and takes it. */
const notTaken = (inputs: Inputs): Outputs => ({
  ...inputs,
  takenAt: "",
  upid: "",
  crashConsistent: true,
  seconds: 0,
});

/** Whether Proxmox VE no longer lists it. What cannot be asked is not gone: Preflight stops `up` for that. */
async function isGone({ vmId, name, acceptedVersion }: VmSnapshotInputs): Promise<boolean> {
  const { settings, proxmoxTokenSecret } = providerContext();
  try {
    const listed = await withProxmox(settings, proxmoxTokenSecret, async (client) => {
      const { host } = await findVm(client, vmId);
      return listSnapshots(client, host, vmId);
    });
    return !listed.some((one) => one.name === name && one.description.includes(ownMark(acceptedVersion)));
  } catch {
    return false;
  }
}

/** A failed freeze is no failure: etcd and RKE2 bear a power cut. It is told, and stands in the outputs. */
export const warnCrashConsistent = (vmId: number, name: string): Promise<void> =>
  operatorLog.warn(
    `VM ${vmId}: snapshot ${name} is crash-consistent, as after a power cut: the guest's file systems were not frozen. next: to have them frozen, start qemu-guest-agent in the guest and delete the snapshot; it is good for going back as it is`,
  );

/**
 * Another one, of a node that is still as it was. The steps that held a server for the first count as done and are not run
 * again, but a machine that goes back to this one must come up with RKE2 at rest, too.
 */
async function takeAgain(inputs: Inputs): Promise<Outputs> {
  const context = providerContext();
  const { settings, sshPrivateKey } = context;
  const { owner, vmId, acceptedVersion } = inputs;
  const node = settings.nodes.find((one) => one.vmId === vmId);
  if (!node || owner === undefined) return take(inputs);
  if (!isUntouched(acceptedVersion, settings.changeId, await lookAtNode(node, sshPrivateKey)))
    throw new Error(
      `VM ${vmId} (${node.name}) has no snapshot ${inputs.name} any more, and ${node.name} is not as it was on ${acceptedVersion}: another one would be no way back. next: go on without it: if the version is good, set acceptedVersion to ${settings.rke2Version}`,
    );
  return node.role === "server" ? takeAtRest(context, owner, node, () => take(inputs)) : take(inputs);
}

async function take(inputs: Inputs): Promise<Outputs> {
  const { settings, proxmoxTokenSecret } = providerContext();
  const { vmId, name, acceptedVersion, description } = inputs;
  const started = Date.now();
  const deadline = new Date(started + settings.limits.snapshotSeconds * 1000);
  return withProxmox(settings, proxmoxTokenSecret, async (client) => {
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
  });
}
