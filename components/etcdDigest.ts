import { createHash } from "node:crypto";
import { Transform, type TransformCallback } from "node:stream";

/** Bytes of the sum that ends a snapshot. */
const SUM = 32;
/** etcd's database consists of pages, and they of these. */
const BLOCK = 512;

/**
 * Passes an etcd snapshot on and proves it whole meanwhile. etcd ends a snapshot with the SHA-256 of the database before
 * it (clientv3's Maintenance.Snapshot), and asks for it when it restores one: a file without it was cut off on its way.
 */
export class EtcdDigest extends Transform {
  private readonly whole = createHash("sha256");
  private readonly database = createHash("sha256");
  /** The last bytes so far: perhaps the sum, which is none of the database. */
  private tail = Buffer.alloc(0);
  private bytes = 0;

  override _transform(chunk: Buffer, _encoding: BufferEncoding, next: TransformCallback): void {
    this.whole.update(chunk);
    this.bytes += chunk.length;
    const held = Buffer.concat([this.tail, chunk]);
    const cut = Math.max(0, held.length - SUM);
    this.database.update(held.subarray(0, cut));
    this.tail = Buffer.from(held.subarray(cut));
    next(null, chunk);
  }

  /**
   * To be called once, at the end.
   * @returns the whole file's sha256, in hex
   * @throws where it is no whole etcd snapshot
   */
  verify(): string {
    const sum = this.database.digest();
    if (this.bytes <= SUM) throw new Error(`an etcd snapshot of ${this.bytes} bytes holds nothing`);
    if (this.bytes % BLOCK !== SUM || !sum.equals(this.tail)) {
      throw new Error(
        `the etcd snapshot (${this.bytes} bytes) does not end in the SHA-256 of what is before it: it is cut off, changed or compressed. next: etcd-snapshot-compress must not be set in RKE2's config; else look at the disk of the server`,
      );
    }
    return this.whole.digest("hex");
  }
}
