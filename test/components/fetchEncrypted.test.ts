import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import { setTimeout as pause } from "node:timers/promises";
import { fetchEncrypted } from "../../components/fetchEncrypted";
import { parseSettings } from "../../config";
import type { Session } from "../../observe";
import { lab } from "../config/lab";

describe("components/fetchEncrypted", () => {
  const directory = mkdtempSync(join(tmpdir(), "fetch-"));
  const settings = parseSettings(lab());
  const file = join(directory, "etcd.age");
  const session = {
    stream: async () => ({ stdout: Readable.from(["secret"]), done: Promise.resolve() }),
  } as unknown as Session;
  const fetch = (prove: () => Promise<void>) =>
    fetchEncrypted(session, "/secret", file, settings, new PassThrough(), prove);
  after(() => rmSync(directory, { recursive: true }));

  it("gives the file its name once it is proven and what belongs beside it is there", async () => {
    await assert.rejects(
      fetch(async () => {
        await pause(10);
        throw new Error("other bytes");
      }),
      /other bytes/,
    );
    assert.equal(existsSync(file), false);
    await fetch(async () => {
      await pause(10);
      assert.equal(existsSync(file), false);
    });
    assert.equal(existsSync(file), true);
  });
});
