import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { PassThrough } from "node:stream";
import type { ClusterNode, Settings } from "../config";
import { lookAtCensus, type Session, withNode } from "../observe";
import { look } from "../observe/look";
import { bareText, shellWord } from "../scripts";
import { dataVersion } from "./dataVersion";
import { backupDirectory, backupFile } from "./etcdBackups";
import { EtcdDigest } from "./etcdDigest";
import { fetchEncrypted } from "./fetchEncrypted";
import { keepCensus } from "./keptCensus";
import { operatorLog } from "./operatorLog";
import type { ProviderContext } from "./providerConfig";

/** What was taken. No secret: the file itself is encrypted. */
export interface TakenBackup {
  /** Absolute path of the encrypted snapshot; beside it `.sha256` and `.objects.json`; the token lies in `tokens/`. */
  readonly file: string;
  /** Of the snapshot itself, before encryption. */
  readonly sha256: string;
  readonly bytes: number;
  /** RFC 3339, UTC: when it was begun. */
  readonly takenAt: string;
  readonly server: string;
  /** Whose data it is: see Backup. */
  readonly version: string;
}

const KUBECONFIG_FILE = "/etc/rancher/rke2/rke2.yaml";
const TOKEN_FILE = "/var/lib/rancher/rke2/server/token";

/** The base name of a change's etcd snapshots on a server. */
const nameOnServer = ({ changeId }: Settings): string => `rke2up-${changeId}`;

let turn: Promise<unknown> = Promise.resolve();

/**
 * Takes an etcd snapshot on the first server that can, brings it off the node encrypted, and proves it whole by the
 * node's checksum and by etcd's own. What a kill leaves half-done is named `.part` and removed by the next. One at a
 * time in this process: a second one waits.
 * @throws with every server's reason where none could
 */
export function takeEtcdBackup(context: ProviderContext): Promise<TakenBackup> {
  const taken = turn.then(() => take(context));
  turn = taken.catch(() => {});
  return taken;
}

async function take({ settings, sshPrivateKey }: ProviderContext): Promise<TakenBackup> {
  const reasons: string[] = [];
  for (const server of settings.servers) {
    // Its data is put back and wiped: what it holds meanwhile is nobody's.
    if (settings.goBack?.strategy === "rollback" && settings.goBack.nodes?.includes(server.name)) continue;
    try {
      return await withNode(server, sshPrivateKey, (session) =>
        takeOn(server, session, settings, sshPrivateKey),
      );
    } catch (error) {
      reasons.push(error instanceof Error ? error.message : String(error));
    }
  }
  const [first] = settings.servers;
  // What a script refuses has its own next move; a server that is not reached has none.
  const next = reasons.some((reason) => reason.includes("next: "))
    ? ""
    : `\n  next: ssh -p ${first?.port} ${first?.user}@${first?.address}, and the other servers: one of them must answer; then run pulumi up again`;
  throw new Error(`no etcd snapshot could be taken:\n${reasons.join("\n")}${next}`);
}

async function takeOn(
  server: ClusterNode,
  session: Session,
  settings: Settings,
  sshPrivateKey: string,
): Promise<TakenBackup> {
  const timeoutMs = settings.limits.etcdSnapshotSeconds * 1000;
  const takenAt = new Date();
  const words = [nameOnServer(settings), server.name].map(shellWord).join(" ");
  const saved = await session.exec(`sudo -n bash -s -- etcd-save ${words}`, {
    stdin: bareText("etcd-save"),
    timeoutMs,
  });
  if (saved.code !== 0) throw new Error(saved.stderr.trim());
  const [path = "", sha256 = "", bytes = ""] = saved.stdout.trim().split("\t");
  // Begun at once: what is written between the two is in one of them alone.
  const census = look(() => lookAtCensus([server], sshPrivateKey));
  const version = await dataVersion(settings, sshPrivateKey);

  const directory = backupDirectory(settings);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  for (const name of await readdir(directory)) {
    if (/^etcd-.*\.part$/.test(name)) await rm(join(directory, name), { force: true });
  }
  const file = backupFile(settings, takenAt, version);
  const digest = new EtcdDigest();
  // Apart from the snapshot: the two together are the keys of the cluster.
  const tokens = resolve(settings.backup.directory, "tokens");
  await mkdir(tokens, { recursive: true, mode: 0o700 });
  await fetchEncrypted(
    session,
    TOKEN_FILE,
    join(tokens, `${basename(directory)}.age`),
    settings,
    new PassThrough(),
  );
  await fetchKubeconfig(session, settings);
  await fetchEncrypted(session, path, file, settings, digest, async (part) => {
    const arrived = digest.verify();
    if (arrived !== sha256) {
      throw new Error(`${server.name}: ${path} has sha256 ${sha256}, what arrived in ${part} has ${arrived}`);
    }
    // Before it has its name: killed in between, it would be the newest and could not be proven.
    await keepCensus(file, await census);
    await writeFile(`${file}.sha256`, `${sha256}  etcd snapshot of ${server.name}, before encryption\n`, {
      mode: 0o600,
      flush: true,
    });
  });
  await deleteOnServer(server, session, basename(path));
  return { file, sha256, bytes: Number(bytes), takenAt: takenAt.toISOString(), server: server.name, version };
}

/** One left behind fills the disk, but the backup is whole: it is told, and stops nothing. */
async function deleteOnServer(server: ClusterNode, session: Session, name: string): Promise<void> {
  const deleted = await session
    .exec(`sudo -n bash -s -- etcd-delete ${shellWord(name)}`, { stdin: bareText("etcd-delete") })
    .catch((error) => ({ code: -1, stderr: String(error) }));
  if (deleted.code === 0) return;
  const why = deleted.stderr.trim() || `exit ${deleted.code}`;
  const next = why.includes("next: ") ? "" : `\n  next: there, as root: rke2 etcd-snapshot delete ${name}`;
  await operatorLog.warn(
    `the etcd snapshot ${name} is off ${server.name}, and was not deleted there: ${why}${next}`,
  );
}

/** The kubeconfig as it is now, encrypted as well (procedure §6.1): the keys in it are renewed with the certificates. */
async function fetchKubeconfig(session: Session, settings: Settings): Promise<void> {
  const directory = resolve(settings.backup.directory, "kubeconfigs");
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const file = join(directory, `${basename(backupDirectory(settings))}.age`);
  await fetchEncrypted(session, KUBECONFIG_FILE, file, settings, new PassThrough());
}
