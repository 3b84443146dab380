import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { utils } from "ssh2";
import { takeEtcdBackup } from "../../components/etcdBackupFile";
import { backupDirectory, backupFile, listBackups, newestBackup } from "../../components/etcdBackups";
import { parseSettings } from "../../config";
import { lab, RECIPIENT } from "../config/lab";

const A = "v1.35.4+rke2r1";
const B = "v1.36.3+rke2r1";

describe("etcd backups of a change", () => {
  const directory = mkdtempSync(join(tmpdir(), "backups-"));
  const settings = parseSettings(
    lab({ rke2Version: B, acceptedVersion: A, backup: { directory, recipients: [RECIPIENT] } }),
  );
  const at = (time: string) => new Date(`2026-11-24T${time}Z`);
  after(() => rmSync(directory, { recursive: true }));

  it("tell every server's reason and the next move where none can be reached", async () => {
    const servers = settings.servers.map((server) => ({ ...server, address: "127.0.0.1", port: 1 }));
    const sshPrivateKey = utils.generateKeyPairSync("ecdsa", { bits: 256 }).private;
    await assert.rejects(
      takeEtcdBackup({ settings: { ...settings, servers }, sshPrivateKey, proxmoxTokenSecret: "" }),
      /no etcd snapshot could be taken:\n(proj-k8sm0\d .*ECONNREFUSED.*\n){3} {2}next: ssh -p 1 admin@127\.0\.0\.1, /,
    );
  });

  it("are none before the first", async () => {
    assert.equal(await newestBackup(settings), undefined);
  });

  it("say in their names when they were taken and whose data they hold", async () => {
    const files = [
      backupFile(settings, at("01:00:00"), A),
      backupFile(settings, at("01:12:00"), A),
      backupFile(settings, at("01:24:00"), B),
    ];
    mkdirSync(dirname(files[0] as string), { recursive: true });
    for (const file of files) writeFileSync(file, "");
    for (const noise of [`${files[0]}.sha256`, `${files[2]}.part`, "etcd-by-hand.age"]) {
      writeFileSync(join(backupDirectory(settings), noise.split("/").at(-1) as string), "");
    }
    assert.deepEqual(
      (await listBackups(settings)).map(({ file, takenAt, version }) => [file, takenAt, version]),
      [
        [files[2], at("01:24:00"), B],
        [files[1], at("01:12:00"), A],
        [files[0], at("01:00:00"), A],
      ],
    );
    assert.equal((await newestBackup(settings))?.file, files[2]);
    assert.equal((await newestBackup(settings, A))?.file, files[1]);
  });
});
