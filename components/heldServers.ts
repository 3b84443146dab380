/** Servers that are still held for their VM snapshot, because the run that was to let them go was broken off. */
import { type ClusterNode, type Settings, snapshotName } from "../config";
import { withNode } from "../observe";
import type { ProxmoxClient } from "../proxmox/client";
import { withProxmox } from "../proxmox/connect";
import { waitUnlocked } from "../proxmox/locks";
import { isOwn } from "../proxmox/mark";
import { rolledBack } from "../proxmox/rollback";
import { listSnapshots } from "../proxmox/snapshots";
import { findVm } from "../proxmox/vms";
import type { ProviderContext } from "./providerConfig";
import { runStep } from "./runStep";
import { releaseHold, startHeld } from "./turns";

interface Held {
  readonly server: ClusterNode;
  readonly since: Date;
  /** Whether RKE2 runs there all the same: the hold keeps it from starting, no more. */
  readonly runs: boolean;
}

/**
 * Has RKE2 run on every server that is held for its VM snapshot, before anybody is asked how the cluster is: one that
 * rebooted meanwhile does not start it by itself. Where the snapshot is there, the hold goes; else it stays for the one
 * to come, whose step counts as done. A hold of a way back is left alone.
 * @returns whether any was started
 * @throws where a machine was put back to such a snapshot: held as well, and its old etcd data must not join the others
 */
export async function wakeHeld(context: ProviderContext, owner: string): Promise<boolean> {
  const { settings, proxmoxTokenSecret } = context;
  const asked = await Promise.all(settings.servers.map((server) => askHeld(context, server)));
  const held = asked.filter((one) => one !== undefined);
  if (held.length === 0) return false;
  await withProxmox(settings, proxmoxTokenSecret, async (client) => {
    for (const { server, since, runs } of held) {
      if (!runs && (await rolledBack(client, [server.vmId], since)).size > 0) {
        throw new Error(
          `${server.name}: RKE2 is held there, and VM ${server.vmId} was rolled back since: started as it is, its old etcd data would join the others. next: have it done with its member removed first: goBack {strategy: rollback, nodes: [${server.name}]} (docs/goBack.md)`,
        );
      }
      await runStep(context, owner, startHeld(settings, server));
      // One that an engine was killed beside may still be made.
      const deadline = new Date(Date.now() + settings.limits.snapshotSeconds * 1000);
      await waitUnlocked(client, server.vmId, deadline);
      if (await isTaken(client, settings, server))
        await runStep(context, owner, releaseHold(settings, server));
    }
  });
  return held.some(({ runs }) => !runs);
}

/** A server that does not answer is not held as far as anybody can tell: the questions that follow refuse it. */
async function askHeld({ sshPrivateKey }: ProviderContext, server: ClusterNode): Promise<Held | undefined> {
  const hold = "/var/lib/rke2-upgrade/hold";
  const ask = `sudo -n grep -qsx snapshot ${hold} && sudo -n stat -c %Y ${hold} && systemctl is-active rke2-server.service`;
  const said = await withNode(server, sshPrivateKey, (session) => session.exec(ask)).catch(() => undefined);
  const [seconds, service] = said?.stdout.split("\n") ?? [];
  return seconds
    ? { server, since: new Date(Number(seconds) * 1000), runs: service === "active" }
    : undefined;
}

/** Whether all that the change took of a server's VM is whole: one that is still being made needs the hold. */
async function isTaken(
  client: ProxmoxClient,
  { acceptedVersion, changeId }: Settings,
  { vmId }: ClusterNode,
): Promise<boolean> {
  const { host } = await findVm(client, vmId);
  const name = snapshotName(acceptedVersion, changeId);
  const ours = (await listSnapshots(client, host, vmId)).filter((one) => isOwn(one, name, acceptedVersion));
  return ours.length > 0 && ours.every(({ unfinished }) => !unfinished);
}
