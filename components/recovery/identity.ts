import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { Readable, Transform } from "node:stream";
import { Decrypter } from "age-encryption";
import type { Settings } from "../../config";
import type { Backup } from "../etcdBackups";

/** A backup's plain text as a stream, and its checksum once that has been read to its end. */
export interface Decrypted {
  readonly plain: Readable;
  sha256(): string;
}

/**
 * Opens a backup with the identity of `backup.identityFile`, which is read here and kept nowhere.
 * @throws where the file holds no identity, or none that the backup is for; never with a word of it
 */
export async function openBackup({ backup }: Settings, { file }: Backup): Promise<Decrypted> {
  if (!backup.identityFile) throw new Error("backup.identityFile is not set");
  const decrypter = new Decrypter();
  const text = await readFile(backup.identityFile, "utf8").catch((error: Error) => {
    throw new Error(`backup.identityFile cannot be read: ${error.message}`);
  });
  const identities = text.split("\n").filter((line) => line.startsWith("AGE-SECRET-KEY-"));
  if (identities.length === 0) {
    throw new Error(`${backup.identityFile} holds no age identity (a line AGE-SECRET-KEY-…)`);
  }
  try {
    for (const identity of identities) decrypter.addIdentity(identity.trim());
  } catch {
    throw new Error(`${backup.identityFile} holds a line that is no age identity`);
  }
  const cipher = Readable.toWeb(createReadStream(file)) as ReadableStream<Uint8Array>;
  const decrypted = await decrypter.decrypt(cipher).catch((error: Error) => {
    throw new Error(`${file} cannot be opened with ${backup.identityFile}: ${error.message}`);
  });
  const hash = createHash("sha256");
  const plain = Readable.fromWeb(decrypted as never).pipe(
    new Transform({
      transform(chunk, _encoding, next) {
        hash.update(chunk);
        next(null, chunk);
      },
    }),
  );
  return { plain, sha256: () => hash.digest("hex") };
}

/** The checksum that the server gave when the backup was taken. @throws where it is not kept */
export async function keptSum({ file }: Backup): Promise<string> {
  const [sum = ""] = (await readFile(`${file}.sha256`, "utf8")).split(/\s/);
  if (!/^[0-9a-f]{64}$/.test(sum)) throw new Error(`${file}.sha256 holds no checksum`);
  return sum;
}

/** Reads a backup to its end with the identity. @throws where it is not what the server sent */
export async function proveBackup(settings: Settings, backup: Backup): Promise<void> {
  const wanted = await keptSum(backup);
  const { plain, sha256 } = await openBackup(settings, backup);
  for await (const _ of plain);
  const found = sha256();
  if (found !== wanted)
    throw new Error(`${backup.file} decrypts to sha256 ${found}, the server sent ${wanted}`);
}
