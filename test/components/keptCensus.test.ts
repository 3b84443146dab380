import assert from "node:assert/strict";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { backupFile } from "../../components/etcdBackups";
import { changeOfObjects, changeSince, keepCensus } from "../../components/keptCensus";
import { parseSettings } from "../../config";
import { lab, RECIPIENT } from "../config/lab";

const A = "v1.35.4+rke2r1";

describe("the census beside an etcd snapshot", () => {
  const directory = mkdtempSync(join(tmpdir(), "census-"));
  const settings = parseSettings(
    lab({
      rke2Version: "v1.36.3+rke2r1",
      acceptedVersion: A,
      backup: { directory, recipients: [RECIPIENT] },
    }),
  );
  const file = backupFile(settings, new Date("2026-11-24T01:00:00Z"), A);
  const since = () => changeSince(file, settings, "no key");
  after(() => rmSync(directory, { recursive: true }));

  it("is asked for where there is a snapshot of before the change, and nowhere else", async () => {
    assert.equal(await changeOfObjects(settings, "no key"), undefined);
  });

  it("says why nothing can be told: none was kept, it could not be counted then, nobody answers now", async () => {
    assert.deepEqual(await since(), { missing: "no census was kept with the etcd snapshot" });
    await keepCensus(file, { missing: "refused" });
    assert.deepEqual(await since(), { missing: "not counted with the etcd snapshot: refused" });
    const kinds = { ConfigMap: { count: 1, uids: "a".repeat(64) } };
    await keepCensus(file, { value: { at: "2026-11-24T01:00:01.000Z", kinds } });
    assert.match(JSON.stringify(await since()), /"missing":"(Cannot parse privateKey[^"]*){3}"/);
    for (const one of [file, `${file}.sha256`]) writeFileSync(one, "");
    assert.ok(await changeOfObjects(settings, "no key"));
    assert.equal(statSync(`${file}.objects.json`).mode & 0o777, 0o600);
  });

  it("is that of the snapshot which the way back takes", async () => {
    const within = { ...settings, rke2Version: "v1.35.9+rke2r1" };
    const newest = backupFile(within, new Date("2026-11-24T02:00:00Z"), within.rke2Version);
    await keepCensus(newest, { missing: "the newest's" });
    for (const one of [newest, `${newest}.sha256`]) writeFileSync(one, "");
    const of = (strategy: "restore" | "rollback") =>
      changeOfObjects({ ...within, goBack: { strategy } }, "no key").then((found) => JSON.stringify(found));
    assert.match(await of("rollback"), /the newest's/);
    assert.doesNotMatch(await of("restore"), /the newest's/);
  });
});
