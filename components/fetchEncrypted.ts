import { createWriteStream } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { Readable, type Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { Encrypter } from "age-encryption";
import type { Settings } from "../config";
import type { Session } from "../observe";
import { shellWord } from "../scripts";

/**
 * Streams a root-only file of the node through age into a local one.
 * @param through what the plain text passes on its way
 * @param prove asked before the file gets its name, and writes what must lie beside it; where it throws, the file gets none
 */
export async function fetchEncrypted(
  session: Session,
  path: string,
  file: string,
  { backup, limits }: Settings,
  through: Transform,
  prove: (part: string) => void | Promise<void> = () => {},
): Promise<void> {
  const encrypter = new Encrypter();
  for (const recipient of backup.recipients) encrypter.addRecipient(recipient);
  const { stdout, done } = await session.stream(`sudo -n cat ${shellWord(path)}`);
  const part = `${file}.part`;
  await rm(part, { force: true });
  const plain = Readable.toWeb(stdout.pipe(through)) as ReadableStream<Uint8Array>;
  await pipeline(
    Readable.fromWeb((await encrypter.encrypt(plain)) as never),
    createWriteStream(part, { mode: 0o600, flush: true }),
    { signal: AbortSignal.timeout(limits.etcdSnapshotSeconds * 1000) },
  );
  await done;
  await prove(part);
  await rename(part, file);
}
