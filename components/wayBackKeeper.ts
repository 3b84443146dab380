import { type ClusterNode, isRound, snapshotName } from "../config";
import type { ProxmoxClient } from "../proxmox/client";
import { withProxmox } from "../proxmox/connect";
import { isOwn, ownMark, snapshotDescription } from "../proxmox/mark";
import { listSnapshots, takeSnapshot } from "../proxmox/snapshots";
import { warnCrashConsistent } from "../proxmox/vmSnapshotProvider";
import { findVm } from "../proxmox/vms";
import { hasNewerData, rememberNewerData } from "./dataVersion";
import { takeEtcdBackup } from "./etcdBackupFile";
import { isOlderThan, newestBackup } from "./etcdBackups";
import type { ProviderContext } from "./providerConfig";
import { takeAtRest } from "./takeAtRest";
import type { Touched } from "./touched";

/**
 * Looks after the way back on every `up`, before anything goes on: a node whose turn has begun must have its snapshot;
 * a stale snapshot of a node not yet touched is joined by a newer one (`name-2` …), and so is a stale etcd snapshot
 * while no server ever was upgraded. None is ever replaced: one of an upgraded node would be no way back.
 * @param owner UUID of the change's state
 * @param touched what no longer is as it was before the change
 * @param nodes those whose snapshots are looked after; all where left out
 * @throws where a touched node has no snapshot
 */
export async function keepWayBack(
  context: ProviderContext,
  owner: string,
  touched: Touched,
  nodes: readonly ClusterNode[] = context.settings.nodes,
): Promise<void> {
  const { settings, proxmoxTokenSecret } = context;
  const anyServer = (names: ReadonlySet<string>) => settings.servers.some(({ name }) => names.has(name));
  const serverTouched = anyServer(touched.nodes);
  await withProxmox(settings, proxmoxTokenSecret, async (client) => {
    for (const node of nodes) {
      const stale = await staleSnapshots(client, context, node, touched.nodes.has(node.name));
      if (stale === 0) continue;
      if (node.role === "agent") await renew(client, context, node, stale);
      // A pause is for a whole quorum only: with a server in between versions, or patched and not yet back, the others are left alone.
      else if (!serverTouched)
        await takeAtRest(context, owner, node, () => renew(client, context, node, stale));
    }
  });
  // A server that was only patched so far leaves etcd's data as they were.
  const serverUpgraded = anyServer(touched.upgraded);
  const newerData = serverUpgraded || hasNewerData(settings);
  const newest = await newestBackup(settings, settings.acceptedVersion);
  if (!newest && newerData) {
    throw new Error(
      `a server ${serverUpgraded ? "is" : "was"} upgraded, but ${settings.backup.directory} holds no etcd snapshot of ${settings.changeId} with the data of ${settings.acceptedVersion}. next: run where the change was begun, or put its backups there, each with its .sha256`,
    );
  }
  if (serverUpgraded) await rememberNewerData(settings);
  if (newest && !newerData && isOlderThan(newest, settings.objectives.rpoMinutes * 60_000)) {
    await takeEtcdBackup(context);
  }
}

/**
 * How many snapshots of this change a node has, all too old; 0 where the newest will do, or where there is none yet.
 * @throws where a touched node has none: the way back is gone
 */
async function staleSnapshots(
  client: ProxmoxClient,
  { settings }: ProviderContext,
  node: ClusterNode,
  touched: boolean,
): Promise<number> {
  const { acceptedVersion, changeId, limits } = settings;
  const name = snapshotName(acceptedVersion, changeId);
  const { host } = await findVm(client, node.vmId);
  const ours = (await listSnapshots(client, host, node.vmId)).filter((snapshot) =>
    isOwn(snapshot, name, acceptedVersion),
  );
  if (touched && ours.length === 0) {
    const accept = isRound(settings)
      ? `if its OS patches are good, set osPatch.acceptedRound to ${changeId}`
      : `if the version is good, set acceptedVersion to ${settings.rke2Version}`;
    throw new Error(
      `${node.name} is ${isRound(settings) ? `patched in ${changeId}` : `on ${settings.rke2Version}`} or in its turn, and VM ${node.vmId} has no snapshot ${name}: the way back is gone. next: ${accept}`,
    );
  }
  const newest = Math.max(...ours.map(({ takenAt }) => takenAt.getTime()));
  const fresh = ours.length === 0 || Date.now() - newest <= limits.snapshotMaxAgeHours * 3_600_000;
  return touched || fresh ? 0 : ours.length;
}

async function renew(
  client: ProxmoxClient,
  { settings }: ProviderContext,
  node: ClusterNode,
  count: number,
): Promise<void> {
  const { acceptedVersion, changeId, limits } = settings;
  const name = `${snapshotName(acceptedVersion, changeId)}-${count + 1}`;
  const description = `${snapshotDescription(node, changeId)}; renewed\n${ownMark(acceptedVersion)}`;
  const deadline = new Date(Date.now() + limits.snapshotSeconds * 1000);
  const { crashConsistent } = await takeSnapshot(client, node.vmId, name, description, deadline);
  if (crashConsistent) await warnCrashConsistent(node.vmId, name);
}
