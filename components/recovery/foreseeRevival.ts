import { describeLoss, isChanging } from "../../config";
import { findingLines } from "../../observe/print";
import { ageMs } from "../etcdBackups";
import type { ProviderContext } from "../providerConfig";
import { stops } from "../refusal";
import { serversData } from "./dataTouched";
import { describeLosses } from "./losses";
import { backupToPlace } from "./placeBackup";
import { askFinish } from "./questions";
import { openAttempts, readRecord } from "./record";

/**
 * What `up` does first, going forward again, of the ways back that were left open: told before it happens, since an etcd
 * that is put back cannot be had again. Bounded; never throws.
 * @param attempt the change's present one
 */
export async function foreseeRevival(
  context: ProviderContext,
  owner: string | undefined,
  attempt: number,
): Promise<string[]> {
  const { settings, sshPrivateKey } = context;
  const open = openAttempts(await readRecord(settings));
  if (open.length === 0) return [];
  const told = open.map(({ goBack, beganAt }) => `goBack ${goBack} of ${beganAt} was not brought to its end`);
  if (!isChanging(settings)) return [...told, "  settling proves every node as it is, and ends it"];
  try {
    const { state } = await serversData(context, open);
    if (state !== "apart")
      return [
        ...told,
        `  pulumi up first starts the nodes as they are${state === "one again" ? ", since every server is in one etcd again: no data is put back" : ""}; a node that was being mended is mended, without putting another VM back (docs/goBack.md)`,
      ];
    const backup = await backupToPlace(settings, attempt);
    const loss = describeLoss({ ...settings, goBack: { strategy: "restore" } }, backup && ageMs(backup));
    const asked = (await askFinish(context, owner, attempt)).filter(stops);
    return [
      ...told,
      "  the servers are not one etcd: pulumi up first stops every node and puts etcd back to its end, from the snapshot (docs/goBack.md). Where they were one since and a server is only down, start RKE2 there first: then nothing is put back",
      ...loss,
      ...(await describeLosses(settings, sshPrivateKey, backup)),
      ...findingLines(asked).map(({ text }) => text),
    ];
  } catch (error) {
    return [...told, `  what pulumi up does first of it is not measured: ${(error as Error).message}`];
  }
}
