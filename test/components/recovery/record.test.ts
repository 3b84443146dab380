import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "mocha";
import {
  beganAtOf,
  beginRecord,
  endRecord,
  openAttempts,
  outageBeganAt,
  readRecord,
  recordOf,
  writeRecord,
} from "../../../components/recovery/record";
import { parseSettings, type Settings } from "../../../config";
import { lab, RECIPIENT } from "../../config/lab";

describe("the record of a way back", () => {
  let directory: string;
  let settings: Settings;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "record-"));
    settings = parseSettings(lab({ backup: { directory, recipients: [RECIPIENT] } }));
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  const open = async () => openAttempts(await readRecord(settings)).map(({ attempt }) => attempt);

  it("is an attempt's own: a rerun goes on with it, and nobody else's", async () => {
    assert.deepEqual(await open(), []);
    const begun = await beginRecord(settings, 2, "restore");
    assert.deepEqual(await beginRecord(settings, 2, "restore"), begun);
    assert.deepEqual(await recordOf(settings, 2), begun);
    await assert.rejects(recordOf(settings, 3), /no record of attempt 3\. next: /);
  });

  it("begins with its first question, which comes before the record is opened", async () => {
    const asked = new Date("2026-11-24T02:00:00.000Z");
    const { beganAt } = await beginRecord(settings, 2, "restore", asked);
    assert.equal(beganAt, asked.toISOString());
    assert.equal((await beginRecord(settings, 2, "restore", new Date())).beganAt, beganAt);
  });

  it("keeps what earlier attempts left open, however often they are broken off", async () => {
    const first = await beginRecord(settings, 2, "restore");
    const placed = { file: "etcd.age", takenAt: "2026-11-24T01:00:00.000Z" };
    await writeRecord(settings, { ...first, placed });
    await beginRecord(settings, 3, "restore");
    const last = await beginRecord(settings, 5, "rollback");
    assert.deepEqual(await open(), [2, 3, 5]);
    assert.deepEqual(openAttempts(last)[0]?.placed, placed);
    assert.equal(outageBeganAt(last), first.beganAt);
    assert.equal(await beganAtOf(settings, 2), first.beganAt);
    assert.equal(await beganAtOf(settings, 5), last.beganAt);
    await assert.rejects(beganAtOf(settings, 4), /no record of attempt 4/);
  });

  it("has nothing open once it has ended, and the next begins anew", async () => {
    await endRecord(settings);
    assert.equal(await readRecord(settings), undefined);
    await beginRecord(settings, 2, "restore");
    await endRecord(settings);
    const ended = await readRecord(settings);
    await endRecord(settings);
    assert.deepEqual(await readRecord(settings), ended);
    assert.deepEqual(await open(), []);
    const next = await beginRecord(settings, 4, "rollback");
    assert.equal(outageBeganAt(next), next.beganAt);
    assert.deepEqual(await open(), [4]);
  });
});
