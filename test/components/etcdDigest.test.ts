import assert from "node:assert/strict";
import { hash } from "node:crypto";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import fc from "fast-check";
import { EtcdDigest } from "../../components/etcdDigest";

const sha256 = (data: Uint8Array) => hash("sha256", data, "buffer");

/** A snapshot as etcd writes one: whole blocks, then their sum. */
const snapshotOf = (blocks: number, seed: number) => {
  const database = Buffer.alloc(blocks * 512, seed);
  return Buffer.concat([database, sha256(database)]);
};

/** Passes data through in pieces of these sizes. */
async function digest(data: Buffer, sizes: readonly number[] = [4096]): Promise<string> {
  const pieces: Buffer[] = [];
  for (let at = 0, i = 0; at < data.length; i++) {
    const end = at + (sizes[i % sizes.length] ?? 1);
    pieces.push(data.subarray(at, end));
    at = end;
  }
  const passing = new EtcdDigest();
  let passed = Buffer.alloc(0);
  await pipeline(Readable.from(pieces), passing, async (source) => {
    for await (const piece of source) passed = Buffer.concat([passed, piece]);
  });
  assert.ok(passed.equals(data));
  return passing.verify();
}

describe("an etcd snapshot on its way", () => {
  it("is whole in whatever pieces it comes, and its sum is the file's", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 8 }),
        fc.integer({ min: 0, max: 255 }),
        fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 5 }),
        async (blocks, seed, sizes) => {
          const data = snapshotOf(blocks, seed);
          assert.equal(await digest(data, sizes), sha256(data).toString("hex"));
        },
      ),
      { numRuns: 50 },
    );
  });

  it("is refused with any byte changed, cut off anywhere, or empty", async () => {
    const data = snapshotOf(3, 7);
    await fc.assert(
      fc.asyncProperty(fc.nat(data.length - 1), async (at) => {
        const changed = Buffer.from(data);
        changed[at] = (changed[at] ?? 0) ^ 1;
        await assert.rejects(digest(changed), /does not end in the SHA-256/);
        await assert.rejects(digest(data.subarray(0, at)), /does not end in the SHA-256|holds nothing/);
      }),
      { numRuns: 60 },
    );
  });
});
