/** What a way back that puts etcd back needs of the first server's disk, and of every server's that it moves etcd's data on. */
import { stat } from "node:fs/promises";
import { type ClusterNode, restoresEtcd, type Settings } from "../../config";
import { type Finding, judgeEtcdMounts, type NodeBack } from "../../observe";
import { backupToGoTo } from "../etcdBackups";

/** Bytes of the etcd snapshot that is put back, in plain as long as encrypted; undefined where none is, or none is there. */
export async function bytesToPutBack(settings: Settings): Promise<number | undefined> {
  if (!settings.goBack || !restoresEtcd(settings.goBack)) return undefined;
  const backup = await backupToGoTo(settings);
  return backup && (await stat(backup.file)).size;
}

/**
 * Room for the snapshot as it is placed, and twice that where etcd's data lies: what is restored, and the log that is
 * written meanwhile, while what was there is kept. Pure.
 * @param begun this very way back is under way: it may have taken the room that is asked for
 */
export function judgeRoom(node: ClusterNode, { room }: NodeBack, bytes: number, begun: boolean): Finding[] {
  const { state, etcd } = room;
  const sizeMiB = Math.ceil(bytes / 2 ** 20);
  const needs =
    state.device === etcd.device
      ? [{ where: "/var/lib/rke2-upgrade and etcd's data", ...state, copies: 3 }]
      : [
          { where: "/var/lib/rke2-upgrade", ...state, copies: 1 },
          { where: "/var/lib/rancher/rke2/server/db", ...etcd, copies: 2 },
        ];
  return needs.map(({ where, freeMiB, copies }) => ({
    check: `${node.name}: room for the etcd snapshot, below ${where}`,
    found: `${freeMiB} MiB`,
    wanted: `${sizeMiB * copies} MiB (${copies === 1 ? "" : `${copies} × `}the snapshot's ${sizeMiB})`,
    ...(freeMiB >= sizeMiB * copies
      ? { verdict: "pass" }
      : {
          verdict: begun ? "warn" : "fail",
          next: "free space: server/db/etcd-old-* of earlier resets, old etcd snapshots, images (crictl rmi --prune), journals",
        }),
  }));
}

/** Whether etcd's folder can be moved on a server whose data this way back puts back or has it give up. Pure. */
export const judgeMove = ({ goBack }: Settings, node: ClusterNode, { etcdMounts }: NodeBack): Finding[] =>
  goBack && goBack.strategy !== "reinstall" && node.role === "server"
    ? judgeEtcdMounts(node, etcdMounts)
    : [];
