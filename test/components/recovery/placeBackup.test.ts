/** The etcd snapshot on a server: its commands themselves in bash, on a folder of the test's own. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Encrypter, generateIdentity, identityToRecipient } from "age-encryption";
import { backupFile } from "../../../components/etcdBackups";
import { isPlaced, placeBackup } from "../../../components/recovery/placeBackup";
import { beginRecord } from "../../../components/recovery/record";
import { parseSettings } from "../../../config";
import { lab } from "../../config/lab";
import { playNode } from "../playedNode";

const A = "v1.35.4+rke2r1";

describe("components/recovery/placeBackup", () => {
  const folder = mkdtempSync(join(tmpdir(), "place-"));
  const state = join(folder, "rke2-upgrade");
  const placed = join(state, "restore/etcd-snapshot");
  let node: Awaited<ReturnType<typeof playNode>>;
  let identity: string;

  before(async () => {
    identity = await generateIdentity();
    node = await playNode((command, input) => {
      const here = command.replaceAll("sudo -n ", "").replaceAll("/var/lib/rke2-upgrade", state);
      const recorded = `sync() { echo "$*" >>${folder}/synced; }; export -f sync; ${here}`;
      const { status, stdout } = spawnSync("bash", ["-c", recorded], { input });
      return status === 0 ? stdout : undefined;
    });
  });
  after(() => {
    node.close();
    rmSync(folder, { recursive: true });
  });

  it("sees a snapshot that was damaged on the server, and places it anew", async () => {
    const identityFile = join(folder, "key.txt");
    writeFileSync(identityFile, identity);
    const recipients = [await identityToRecipient(identity)];
    const backup = { directory: join(folder, "backups"), recipients, identityFile };
    const settings = parseSettings(lab({ rke2Version: "v1.36.3+rke2r1", acceptedVersion: A, backup }));
    const file = backupFile(settings, new Date("2026-11-24T01:00:00Z"), A);
    mkdirSync(dirname(file), { recursive: true });
    const encrypter = new Encrypter();
    encrypter.addRecipient(recipients[0] as string);
    writeFileSync(file, await encrypter.encrypt("all that etcd holds"));
    writeFileSync(`${file}.sha256`, createHash("sha256").update("all that etcd holds").digest("hex"));
    await beginRecord(settings, 1, "restore");

    const context = { settings, sshPrivateKey: node.sshPrivateKey, proxmoxTokenSecret: "" };
    const [first] = settings.servers;
    assert.ok(first);
    const server = { ...first, ...node.target };
    const isThere = () => isPlaced(context, server, 1);

    assert.equal(await isThere(), false);
    await placeBackup(context, server, 1);
    assert.equal(await isThere(), true);
    // A server that loses power must not be left with names alone.
    assert.equal(readFileSync(join(folder, "synced"), "utf8"), "etcd-snapshot etcd-snapshot.sha256 .\n");

    writeFileSync(placed, "");
    assert.equal(await isThere(), false);
    await placeBackup(context, server, 1);
    assert.equal(await isThere(), true);
    assert.equal(readFileSync(placed, "utf8"), "all that etcd holds");

    rmSync(dirname(placed), { recursive: true });
    mkdirSync(join(state, `back/${settings.changeId}-1`), { recursive: true });
    writeFileSync(join(state, `back/${settings.changeId}-1/reset`), "");
    assert.equal(await isThere(), true, "etcd was reset from it: it is not needed any more");
  });
});
