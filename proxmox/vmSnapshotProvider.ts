import type * as pulumi from "@pulumi/pulumi";
import { configure, providerContext } from "../components/providerConfig";
import { connect } from "./connect";
import { ownMark } from "./mark";
import { listSnapshots, type Snapshot, takeSnapshot } from "./snapshots";
import type { VmSnapshotInputs } from "./vmSnapshot";
import { findVm } from "./vms";

interface Outputs extends VmSnapshotInputs {
  readonly takenAt: string;
  readonly crashConsistent: boolean;
  readonly seconds: number;
}

/** The provider behind {@link VmSnapshot}. Its delete does nothing: only acceptance lets a snapshot go. */
export const provider: pulumi.dynamic.ResourceProvider<VmSnapshotInputs, Outputs> = {
  configure,
  async check(_olds, news) {
    return { inputs: news };
  },
  async diff(_id, olds, news) {
    const replaces = (["name", "vmId"] as const).filter((field) => olds[field] !== news[field]);
    return { changes: replaces.length > 0, replaces };
  },
  async create(inputs) {
    return { id: `${inputs.vmId}/${inputs.name}`, outs: await take(inputs) };
  },
  async delete() {},
};

async function take(inputs: VmSnapshotInputs): Promise<Outputs> {
  const { settings, proxmoxTokenSecret } = providerContext();
  const { vmId, name, acceptedVersion, description } = inputs;
  const started = Date.now();
  const deadline = new Date(started + settings.limits.snapshotSeconds * 1000);
  const client = connect(settings, proxmoxTokenSecret);
  try {
    const existing = await findOwn(client, inputs);
    if (existing)
      return { ...inputs, takenAt: existing.takenAt.toISOString(), crashConsistent: false, seconds: 0 };
    const { snapshot, end } = await takeSnapshot(
      client,
      vmId,
      name,
      `${description}\n${ownMark(acceptedVersion)}`,
      deadline,
    );
    return {
      ...inputs,
      takenAt: snapshot.takenAt.toISOString(),
      // A failed freeze only warns and the task ends OK (facts: Proxmox).
      crashConsistent: end.log.some((line) =>
        /skipping guest filesystem freeze|fsfreeze.*(fail|error)/i.test(line),
      ),
      seconds: (Date.now() - started) / 1000,
    };
  } finally {
    await client.close();
  }
}

/** The snapshot that an earlier run made and was killed before it could say so. */
async function findOwn(
  client: ReturnType<typeof connect>,
  { vmId, name, acceptedVersion }: VmSnapshotInputs,
): Promise<Snapshot | undefined> {
  const { host } = await findVm(client, vmId);
  const existing = (await listSnapshots(client, host, vmId)).find((one) => one.name === name);
  if (existing && !existing.description.includes(ownMark(acceptedVersion))) {
    throw new Error(
      `VM ${vmId} has a snapshot ${name} that this program did not make. next: rename or delete it in Proxmox, then run pulumi up again`,
    );
  }
  return existing;
}
