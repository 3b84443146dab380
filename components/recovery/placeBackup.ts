import { basename } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { type ClusterNode, type GoBack, type Settings, versionsToGoTo } from "../../config";
import { type SshTarget, withNode } from "../../observe";
import { shellWord } from "../../scripts";
import { currentCode } from "../currentCode";
import { type Backup, backupDirectory, backupToGoTo, listBackups } from "../etcdBackups";
import type { ProviderContext } from "../providerConfig";
import { isMend } from "./dataTouched";
import { keptSum, openBackup } from "./identity";
import { openAttempts, readRecord, recordOf, writeRecord } from "./record";

/** Inputs of {@link PlacedBackup}. */
export interface PlaceInputs {
  /** Name of the server. */
  readonly server: pulumi.Input<string>;
  readonly attempt: pulumi.Input<number>;
}

/**
 * The etcd snapshot in plain on a server, for the reset that follows: decrypted here, sent by stdin over SSH into a
 * root-only file outside of server/db, removed when the way back is done. Neither it nor the identity is ever in state.
 */
export class PlacedBackup extends pulumi.dynamic.Resource {
  constructor(name: string, inputs: PlaceInputs, opts?: pulumi.CustomResourceOptions) {
    super(
      currentCode("components/recovery/placeBackupProvider"),
      name,
      { ...inputs },
      opts,
      "rke2",
      "PlacedBackup",
    );
  }
}

const FOLDER = "/var/lib/rke2-upgrade/restore";

/** Places the backup that the way back goes to on a server, whole or not at all. @returns which one */
export async function placeBackup(
  { settings, sshPrivateKey }: ProviderContext,
  server: ClusterNode,
  attempt: number,
): Promise<{ takenAt: string; sha256: string }> {
  const record = await recordOf(settings, attempt);
  const backup = await backupToPlace(settings, attempt);
  if (!backup)
    throw new Error(
      `${settings.backup.directory} holds no etcd snapshot of ${settings.changeId} with the data of ${versionsToGoTo(settings).join(" or ")}`,
    );
  const wanted = await keptSum(backup);
  const { plain } = await openBackup(settings, backup);
  const script = [
    `umask 077; mkdir -p ${FOLDER}; cd ${FOLDER}; cat >etcd-snapshot.part`,
    `echo "${wanted}  etcd-snapshot.part" | sha256sum -c --status -`,
    `mv etcd-snapshot.part etcd-snapshot; echo "${wanted}  etcd-snapshot" >etcd-snapshot.sha256`,
    // The files too, not their names alone: a server that loses power keeps what it was sent, or is seen to lack it.
    "sync etcd-snapshot etcd-snapshot.sha256 .",
  ].join(" && ");
  await withNode(server, sshPrivateKey, (session) =>
    session.send(`sudo -n bash -c ${shellWord(script)}`, plain, settings.limits.etcdSnapshotSeconds * 1000),
  );
  const takenAt = backup.takenAt.toISOString();
  await writeRecord(settings, {
    ...record,
    placed: { file: backup.file, takenAt, at: new Date().toISOString() },
  });
  return { takenAt, sha256: wanted };
}

/**
 * The backup that a way back puts back. Going forward again, etcd is put back to its end: from what the way back that was
 * broken off has placed and from no other; from what it would have placed, where it had not come to that.
 * @param attempt the change's present one
 * @throws where what was placed is gone
 */
export async function backupToPlace(settings: Settings, attempt: number): Promise<Backup | undefined> {
  if (settings.goBack) return backupToGoTo(settings);
  const whole = openAttempts(await readRecord(settings)).filter((one) => !isMend(one));
  const placed = whole.findLast((one) => one.placed)?.placed;
  if (!placed) {
    const broken = whole.findLast((one) => one.attempt !== attempt);
    return backupToGoTo(settings, broken?.goBack as GoBack["strategy"] | undefined);
  }
  const name = basename(placed.file);
  const found = (await listBackups(settings)).find(({ file }) => basename(file) === name);
  if (found) return found;
  throw new Error(
    `${name}, which etcd was being put back from, is not in ${backupDirectory(settings)}. next: put it there again, with its .sha256, then run pulumi up again`,
  );
}

/** Whether the server has it whole, or has been reset from it in this attempt already. What cannot be asked is not there. */
export async function isPlaced(
  { settings: { changeId, limits }, sshPrivateKey }: ProviderContext,
  server: SshTarget,
  attempt: number,
): Promise<boolean> {
  const reset = `/var/lib/rke2-upgrade/back/${changeId}-${attempt}/reset`;
  const whole = `cd ${FOLDER} && sha256sum -c --status etcd-snapshot.sha256`;
  const ask = `sudo -n test -e ${shellWord(reset)} || sudo -n bash -c ${shellWord(whole)}`;
  const timeoutMs = limits.etcdSnapshotSeconds * 1000;
  return withNode(server, sshPrivateKey, (session) => session.exec(ask, { timeoutMs })).then(
    ({ code }) => code === 0,
    () => false,
  );
}
