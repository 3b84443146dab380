/** The etcd snapshot on a server: its commands themselves in bash, on a folder of the test's own. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { hash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Encrypter, generateIdentity, identityToRecipient } from "age-encryption";
import { backupFile } from "../../../components/etcdBackups";
import { isPlaced, placeBackup } from "../../../components/recovery/placeBackup";
import { beginRecord } from "../../../components/recovery/record";
import { type ClusterNode, parseSettings, type Settings } from "../../../config";
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

  async function settingsOf(name: string, rke2Version: string, goBack?: object) {
    const identityFile = join(folder, "key.txt");
    writeFileSync(identityFile, identity);
    const recipients = [await identityToRecipient(identity)];
    const backup = { directory: join(folder, name), recipients, identityFile };
    return parseSettings(lab({ rke2Version, acceptedVersion: A, backup, ...(goBack && { goBack }) }));
  }
  async function keep(settings: Settings, takenAt: string, version: string, what: string): Promise<string> {
    const file = backupFile(settings, new Date(takenAt), version);
    mkdirSync(dirname(file), { recursive: true });
    const encrypter = new Encrypter();
    for (const one of settings.backup.recipients) encrypter.addRecipient(one);
    writeFileSync(file, await encrypter.encrypt(what));
    writeFileSync(`${file}.sha256`, hash("sha256", what));
    return file;
  }
  const serverOf = ({ servers }: Settings) => ({ ...(servers[0] as ClusterNode), ...node.target });

  it("sees a snapshot that was damaged on the server, and places it anew", async () => {
    const settings = await settingsOf("backups", "v1.36.3+rke2r1");
    await keep(settings, "2026-11-24T01:00:00Z", A, "all that etcd holds");
    await beginRecord(settings, 1, "restore");

    const context = { settings, sshPrivateKey: node.sshPrivateKey, proxmoxTokenSecret: "" };
    const server = serverOf(settings);
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

  describe("within a minor", () => {
    const WITHIN = "v1.35.9+rke2r1";
    let name = 0;
    /** Two snapshots, one of before the change and one of meanwhile; and what a way back, or going forward, places. */
    async function change() {
      name += 1;
      const of = (goBack?: object) => settingsOf(`within-${name}`, WITHIN, goBack);
      const forward = await of();
      await keep(forward, "2026-11-24T01:00:00Z", A, "before");
      const newest = await keep(forward, "2026-11-24T01:12:00Z", WITHIN, "meanwhile");
      const place = async (attempt: number, goBack?: object) => {
        const settings = await of(goBack);
        const context = { settings, sshPrivateKey: node.sshPrivateKey, proxmoxTokenSecret: "" };
        await placeBackup(context, serverOf(settings), attempt);
        return readFileSync(placed, "utf8");
      };
      return { forward, newest, place };
    }

    it("takes the newest where machines are lost, that of before the change where data is damaged", async () => {
      const { forward, place } = await change();
      await beginRecord(forward, 2, "rollback");
      assert.equal(await place(2, { strategy: "rollback" }), "meanwhile");
      await beginRecord(forward, 3, "restore");
      assert.equal(await place(3, { strategy: "restore" }), "before");
    });

    it("going forward again, is what was placed already, and no other", async () => {
      const { forward, newest, place } = await change();
      await beginRecord(forward, 2, "rollback");
      await place(2, { strategy: "rollback" });
      // Later than it, and not what the servers that came back by then hold.
      await keep(forward, "2026-11-24T01:24:00Z", A, "later");
      await beginRecord(forward, 3, "restore");
      assert.equal(await place(3), "meanwhile");
      rmSync(newest);
      await assert.rejects(place(3), /etcd-2026-11-24T011200Z-v1\.35\.9-rke2r1\.age, which .*\. next: /);
    });

    it("going forward again, is what would have been placed where none was yet", async () => {
      for (const [goBack, what] of [
        ["rollback", "meanwhile"],
        ["restore", "before"],
      ] as const) {
        const { forward, place } = await change();
        await beginRecord(forward, 2, goBack);
        await beginRecord(forward, 3, "restore");
        assert.equal(await place(3), what);
      }
    });
  });
});
