import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { mkdir, readdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { Encrypter } from "age-encryption";
import type { ClusterNode, Settings } from "../config";
import { type Session, withNode } from "../observe";
import { bareText, shellWord } from "../scripts";
import type { ProviderContext } from "./providerConfig";

/** What was taken. No secret: the file itself is encrypted. */
export interface TakenBackup {
  /** Absolute path of the encrypted snapshot; beside it `.sha256`; the token lies in `tokens/`. */
  readonly file: string;
  /** Of the snapshot itself, before encryption. */
  readonly sha256: string;
  readonly bytes: number;
  /** RFC 3339, UTC. */
  readonly takenAt: string;
  readonly server: string;
}

const KUBECONFIG_FILE = "/etc/rancher/rke2/rke2.yaml";
const TOKEN_FILE = "/var/lib/rancher/rke2/server/token";

/** Where a change's backups lie: one folder a change, the accepted version in its name. */
export const backupDirectory = (settings: Settings): string =>
  resolve(settings.backup.directory, `${settings.changeId}-${settings.acceptedVersion.replaceAll("+", "-")}`);

/**
 * Takes an etcd snapshot on the first server that can, brings it off the node encrypted, and proves it whole by the
 * node's own checksum. What a kill leaves half-done is named `.part` and written anew.
 * @throws with every server's reason where none could
 */
export async function takeEtcdBackup({ settings, sshPrivateKey }: ProviderContext): Promise<TakenBackup> {
  const reasons: string[] = [];
  for (const server of settings.servers) {
    try {
      return await withNode(server, sshPrivateKey, (session) => takeOn(server, session, settings));
    } catch (error) {
      reasons.push(error instanceof Error ? error.message : String(error));
    }
  }
  throw new Error(
    `no etcd snapshot could be taken, so there is no way back and nothing was touched:\n${reasons.join("\n")}`,
  );
}

async function takeOn(server: ClusterNode, session: Session, settings: Settings): Promise<TakenBackup> {
  const timeoutMs = settings.limits.etcdSnapshotSeconds * 1000;
  const takenAt = new Date();
  const saved = await session.exec(
    `sudo -n bash -s -- etcd-save ${shellWord(`rke2up-${settings.changeId}`)}`,
    {
      stdin: bareText("etcd-save"),
      timeoutMs,
    },
  );
  if (saved.code !== 0) throw new Error(saved.stderr.trim());
  const [path = "", sha256 = "", bytes = ""] = saved.stdout.trim().split("\t");

  const directory = backupDirectory(settings);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const stamp = takenAt
    .toISOString()
    .replace(/[:.]/g, "")
    .replace(/\d{3}Z$/, "Z");
  const file = join(directory, `etcd-${stamp}.age`);
  const arrived = await fetchEncrypted(session, path, file, settings.backup.recipients, timeoutMs);
  if (arrived !== sha256)
    throw new Error(`${server.name}: ${path} has sha256 ${sha256}, what arrived has ${arrived}`);
  // Apart from the snapshot: the two together are the keys of the cluster.
  const tokens = resolve(settings.backup.directory, "tokens");
  await mkdir(tokens, { recursive: true, mode: 0o700 });
  await fetchEncrypted(
    session,
    TOKEN_FILE,
    join(tokens, `${basename(directory)}.age`),
    settings.backup.recipients,
    timeoutMs,
  );
  await fetchKubeconfig(session, settings, timeoutMs);
  await writeFile(`${file}.sha256`, `${sha256}  etcd snapshot of ${server.name}, before encryption\n`, {
    mode: 0o600,
  });
  // Ours, by its exact name: RKE2 never prunes one taken on demand, and it would fill the disk change after change.
  await session.exec(
    `sudo -n $(command -v rke2 || echo /opt/rke2/bin/rke2) etcd-snapshot delete ${shellWord(basename(path))}`,
  );
  return { file, sha256, bytes: Number(bytes), takenAt: takenAt.toISOString(), server: server.name };
}

/** The kubeconfig as it is now, encrypted as well (procedure §6.1): the keys in it are renewed with the certificates. */
async function fetchKubeconfig(session: Session, settings: Settings, timeoutMs: number): Promise<void> {
  const directory = resolve(settings.backup.directory, "kubeconfigs");
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const file = join(directory, `${basename(backupDirectory(settings))}.age`);
  await fetchEncrypted(session, KUBECONFIG_FILE, file, settings.backup.recipients, timeoutMs);
}

/** Streams a root-only file of the node through age into a local one. @returns sha256 of the plain text */
async function fetchEncrypted(
  session: Session,
  path: string,
  file: string,
  recipients: readonly string[],
  timeoutMs: number,
): Promise<string> {
  const encrypter = new Encrypter();
  for (const recipient of recipients) encrypter.addRecipient(recipient);
  const hash = createHash("sha256");
  const { stdout, done } = await session.stream(`sudo -n cat ${shellWord(path)}`);
  const hashed = stdout.pipe(
    new Transform({
      transform(chunk, _encoding, next) {
        hash.update(chunk);
        next(null, chunk);
      },
    }),
  );
  const part = `${file}.part`;
  await rm(part, { force: true });
  const encrypted = await encrypter.encrypt(Readable.toWeb(hashed) as ReadableStream<Uint8Array>);
  await pipeline(
    Readable.fromWeb(encrypted as never),
    createWriteStream(part, { mode: 0o600, flush: true }),
    {
      signal: AbortSignal.timeout(timeoutMs),
    },
  );
  await done;
  await rename(part, file);
  return hash.digest("hex");
}

/** The newest backup of this change: its age in milliseconds, or undefined where there is none. */
export async function newestBackupAge(settings: Settings): Promise<number | undefined> {
  const directory = backupDirectory(settings);
  const names = await readdir(directory).catch(() => []);
  const ages = await Promise.all(
    names
      .filter((name) => /^etcd-.*\.age$/.test(name))
      .map(async (name) => Date.now() - (await stat(join(directory, name))).mtimeMs),
  );
  return ages.length > 0 ? Math.min(...ages) : undefined;
}
