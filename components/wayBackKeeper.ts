import { type ClusterNode, snapshotName } from "../config";
import type { ProxmoxClient } from "../proxmox/client";
import { connect } from "../proxmox/connect";
import { ownMark } from "../proxmox/mark";
import { listSnapshots, takeSnapshot } from "../proxmox/snapshots";
import { findVm } from "../proxmox/vms";
import { newestBackupAge, takeEtcdBackup } from "./etcdBackupFile";
import type { ProviderContext } from "./providerConfig";

/**
 * Looks after the way back on every `up`, before anything goes on: a node whose turn has begun must have its snapshot;
 * a stale snapshot of a node not yet touched is joined by a newer one (`name-2` …), and so is a stale etcd snapshot
 * while no server is touched. None is ever replaced: one of an upgraded node would be no way back.
 * @param touched nodes that run the new version, or are in their turn
 * @throws where a touched node has no snapshot
 */
export async function keepWayBack(context: ProviderContext, touched: ReadonlySet<string>): Promise<void> {
  const { settings, proxmoxTokenSecret } = context;
  const client = connect(settings, proxmoxTokenSecret);
  try {
    for (const node of settings.nodes) await keepSnapshot(client, context, node, touched.has(node.name));
  } finally {
    await client.close();
  }
  const age = await newestBackupAge(settings);
  const serverTouched = settings.servers.some(({ name }) => touched.has(name));
  if (age === undefined && serverTouched) {
    throw new Error(
      `a server is upgraded, but ${settings.backup.directory} holds no etcd snapshot of ${settings.changeId}. next: run where the change was begun, or put its backups there`,
    );
  }
  if (age !== undefined && !serverTouched && age > settings.limits.etcdSnapshotMaxAgeMinutes * 60_000) {
    await takeEtcdBackup(context);
  }
}

async function keepSnapshot(
  client: ProxmoxClient,
  { settings }: ProviderContext,
  node: ClusterNode,
  touched: boolean,
): Promise<void> {
  const { acceptedVersion, changeId, limits } = settings;
  const name = snapshotName(acceptedVersion, changeId);
  const mark = ownMark(acceptedVersion);
  const { host } = await findVm(client, node.vmId);
  const ours = (await listSnapshots(client, host, node.vmId)).filter(
    (snapshot) => snapshot.name.startsWith(name) && snapshot.description.includes(mark),
  );
  if (touched) {
    if (ours.length > 0) return;
    throw new Error(
      `${node.name} is on ${settings.rke2Version} or in its turn, and VM ${node.vmId} has no snapshot ${name}: the way back is gone. next: if the version is good, set acceptedVersion to ${settings.rke2Version}`,
    );
  }
  // None yet: the chain takes the first one.
  const newest = Math.max(...ours.map(({ takenAt }) => takenAt.getTime()));
  if (ours.length === 0 || Date.now() - newest <= limits.snapshotMaxAgeHours * 3_600_000) return;
  const deadline = new Date(Date.now() + limits.snapshotSeconds * 1000);
  await takeSnapshot(
    client,
    node.vmId,
    `${name}-${ours.length + 1}`,
    `${node.name} before ${changeId}, renewed\n${mark}`,
    deadline,
  );
}
