import { createHash } from "node:crypto";
import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Transform } from "node:stream";
import { withNode } from "../observe";
import { askFirst } from "../observe/firstServer";
import { bareText, shellWord } from "../scripts";
import { backupDirectory } from "./etcdBackups";
import { fetchEncrypted } from "./fetchEncrypted";
import type { ProviderContext } from "./providerConfig";
import { exportWords } from "./rancherExport";

/** What was exported. No secret: the file itself is encrypted. */
export interface TakenRancherBackup {
  /** Absolute path of the encrypted export, `.sha256` beside it; empty where no Rancher has run yet. */
  readonly file: string;
  /** Its name on rancher-backup's volume. */
  readonly restore: string;
  /** Of the export itself, before encryption. */
  readonly sha256: string;
  readonly bytes: number;
  /** RFC 3339, UTC: when it was begun. */
  readonly takenAt: string;
  /** The node on which rancher-backup's volume was. */
  readonly node: string;
  /** What Rancher's server said that it is, `v2.14.3`. */
  readonly version: string;
}

/** Before Rancher is installed for the first time. */
const NONE: TakenRancherBackup = {
  ...{ file: "", restore: "", sha256: "", bytes: 0, takenAt: "", node: "", version: "" },
};

/**
 * Has rancher-backup export Rancher's objects, and brings the file off its node encrypted, proven by the node's checksum.
 * What a kill leaves half-done is named `.part` and removed by the next.
 * @throws with what rancher-backup said, or with what is missing
 */
export async function takeRancherBackup({
  settings,
  sshPrivateKey,
}: ProviderContext): Promise<TakenRancherBackup> {
  const { timeoutSeconds } = settings.rancher.backup;
  const takenAt = new Date();
  const said = await askFirst(settings.servers, (server) =>
    withNode(server, sshPrivateKey, (session) =>
      session.exec(`sudo -n bash -s -- rancher-export ${exportWords(settings).map(shellWord).join(" ")}`, {
        stdin: bareText("rancher-export"),
        // The script gives up first, with rancher-backup's own words.
        timeoutMs: (timeoutSeconds + 120) * 1000,
      }),
    ),
  );
  if (said.code !== 0) throw new Error(said.stderr.trim());
  const [restore = "", on = "", path = "", version = ""] = said.stdout.trim().split("\t");
  if (!restore) return NONE;
  const node = settings.nodes.find(({ name }) => name === on);
  if (!node) {
    throw new Error(
      `rancher-backup's volume with ${restore} is on ${on}, which is not in nodes\n  next: add it, or have rancher-backup's pod run on one that is, then run pulumi up again`,
    );
  }
  const directory = backupDirectory(settings);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  for (const name of await readdir(directory)) {
    if (/^rancher-.*\.part$/.test(name)) await rm(join(directory, name), { force: true });
  }
  const stamp = takenAt.toISOString().slice(0, 19).replaceAll(":", "");
  const file = join(directory, `rancher-${stamp}Z-${version.replace(/^v/, "")}.tar.gz.age`);
  const digest = new Digest();
  const sha256 = await withNode(node, sshPrivateKey, async (session) => {
    const sum = await session.exec(`sudo -n sha256sum ${shellWord(path)}`, { timeoutMs: 60_000 });
    if (sum.code !== 0) {
      throw new Error(
        `${node.name}: ${path}, which rancher-backup says it has written, cannot be read: ${sum.stderr.trim()}\n  next: see on which node its volume is (kubectl -n cattle-resources-system get pods -o wide), then run pulumi up again`,
      );
    }
    const wanted = sum.stdout.slice(0, 64);
    await fetchEncrypted(session, path, file, settings, digest, (part) => {
      const arrived = digest.hex();
      if (arrived === wanted) return;
      throw new Error(`${node.name}: ${path} has sha256 ${wanted}, what arrived in ${part} has ${arrived}`);
    });
    return wanted;
  });
  await writeFile(`${file}.sha256`, `${sha256}  ${restore}, before encryption\n`, { mode: 0o600 });
  const taken = { file, restore, sha256, bytes: digest.bytes, takenAt: takenAt.toISOString() };
  return { ...taken, node: node.name, version };
}

/** Passes bytes on, and knows their sum after. */
class Digest extends Transform {
  bytes = 0;
  private readonly hash = createHash("sha256");

  override _transform(
    chunk: Buffer,
    _encoding: BufferEncoding,
    next: (error: null, chunk: Buffer) => void,
  ): void {
    this.hash.update(chunk);
    this.bytes += chunk.length;
    next(null, chunk);
  }

  hex(): string {
    return this.hash.digest("hex");
  }
}
