import { lookBack } from "../../observe";
import { connect } from "../../proxmox/connect";
import { anyRolledBack } from "../../proxmox/rollback";
import type { ProviderContext } from "../providerConfig";
import { backPhases, restoreAll, wakeAll } from "./phases";
import { beginRecord, readRecord, type WayBackRecord, writeRecord } from "./record";
import { runPhases } from "./runPhases";

/**
 * Going forward again after a way back that was broken off: brings the cluster to where the forward chains can go on
 * from, before their questions are asked. Where no data was touched yet, every node is started as it is. Where etcd
 * was being put back, that is done to its end, on the wanted release: two halves of two clusters are no cluster. A node
 * that was being mended is mended.
 * @returns what was done, or undefined where there was nothing to revive
 */
export async function revive(
  context: ProviderContext,
  owner: string,
  attempt: number,
): Promise<string | undefined> {
  const { settings } = context;
  const broken = await readRecord(settings);
  if (!broken || broken.endedAt) return undefined;
  const mended = broken.goBack.includes(":");
  const restored = !mended && (await dataTouched(context, broken));
  const whose = { context, owner, attempt };
  if (mended || restored) {
    // Its steps leave their marks under this attempt, and so does what they place.
    if (broken.attempt !== attempt) await beginRecord(settings, attempt, broken.goBack);
    await runPhases(
      whose,
      mended
        ? backPhases({ ...settings, goBack: asGoBack(broken.goBack) })
        : restoreAll(settings, settings.rke2Version, false),
    );
  } else {
    await runPhases(whose, wakeAll(settings));
  }
  const record = (await readRecord(settings)) ?? broken;
  await writeRecord(settings, { ...record, endedAt: new Date().toISOString() });
  return mended ? broken.goBack : restored ? "etcd from its snapshot" : "every node started";
}

const asGoBack = (text: string) => {
  const [strategy, nodes] = text.split(":") as ["reinstall" | "rollback", string];
  return { strategy, nodes: nodes.split(",") };
};

/** Whether the way back went so far that servers no longer hold the same etcd: a VM put back, or a reset begun. */
async function dataTouched(context: ProviderContext, broken: WayBackRecord): Promise<boolean> {
  const { settings, sshPrivateKey, proxmoxTokenSecret } = context;
  if (broken.goBack.startsWith("rollback")) {
    const client = connect(settings, proxmoxTokenSecret);
    const vmIds = settings.servers.map(({ vmId }) => vmId);
    try {
      if (await anyRolledBack(client, vmIds, new Date(broken.beganAt))) return true;
    } finally {
      await client.close();
    }
  }
  const [first] = settings.servers;
  if (!broken.placed || !first) return false;
  const { resets } = await lookBack(first, sshPrivateKey, settings.acceptedVersion, settings.changeId);
  return resets.some((path) => path.includes(`/${settings.changeId}-${broken.attempt}/`));
}
