import assert from "node:assert/strict";
import { hash, randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { utils } from "ssh2";
import { takeEtcdBackup } from "../../components/etcdBackupFile";
import {
  backupDirectory,
  backupFile,
  backupToGoTo,
  isOlderThan,
  listBackups,
  newestBackup,
} from "../../components/etcdBackups";
import { operatorLog } from "../../components/operatorLog";
import { type GoBack, parseSettings } from "../../config";
import { lab, RECIPIENT } from "../config/lab";
import { playNode } from "./playedNode";

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

  it("are not taken on a server whose VM is being put back", async () => {
    const servers = settings.servers.map((server) => ({ ...server, address: "127.0.0.1", port: 1 }));
    const sshPrivateKey = utils.generateKeyPairSync("ecdsa", { bits: 256 }).private;
    const asked = async (strategy: "reinstall" | "rollback") => {
      const goBack = { strategy, nodes: ["proj-k8sm01"] };
      const context = { settings: { ...settings, servers, goBack }, sshPrivateKey, proxmoxTokenSecret: "" };
      const failed = await takeEtcdBackup(context).then(String, String);
      return failed.match(/proj-k8sm0\d/g);
    };
    assert.deepEqual(await asked("rollback"), ["proj-k8sm02", "proj-k8sm03"]);
    assert.deepEqual(await asked("reinstall"), ["proj-k8sm01", "proj-k8sm02", "proj-k8sm03"]);
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
    for (const file of files.flatMap((name) => [name, `${name}.sha256`])) writeFileSync(file, "");
    for (const noise of [`${files[2]}.part`, "etcd-by-hand.age"]) {
      writeFileSync(join(backupDirectory(settings), noise.split("/").at(-1) as string), "");
    }
    // Killed before its sum was written: it would be the newest, and no way back could prove it.
    writeFileSync(backupFile(settings, at("01:36:00"), B), "");
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

  it("come after all others, and are too old, where they bear a time to come", async () => {
    const ahead = backupFile(settings, new Date(Date.now() + 86_400_000), A);
    const now = backupFile(settings, new Date(), A);
    for (const file of [ahead, now]) for (const one of [file, `${file}.sha256`]) writeFileSync(one, "");
    const all = await listBackups(settings);
    assert.deepEqual([all[0]?.file, all.at(-1)?.file], [now, ahead]);
    assert.equal((await backupToGoTo(settings, "restore"))?.file, now);
    assert.deepEqual(
      [all[0], all.at(-1)].map((one) => one && isOlderThan(one, 60_000)),
      [false, true],
    );
    for (const file of [ahead, now]) for (const one of [file, `${file}.sha256`]) rmSync(one);
  });

  it("are gone back to by what has failed, and never to data that the accepted version cannot read", async () => {
    const WITHIN = "v1.35.9+rke2r1";
    const within = { ...settings, rke2Version: WITHIN };
    const file = backupFile(settings, at("01:18:00"), WITHIN);
    for (const one of [file, `${file}.sha256`, `${file}.objects.json`]) writeFileSync(one, "");
    const to = async (strategy: "restore" | "rollback") =>
      (await backupToGoTo({ ...within, goBack: { strategy } }))?.file;
    const before = backupFile(settings, at("01:12:00"), A);
    assert.deepEqual([await to("rollback"), await to("restore")], [file, before]);
    assert.equal((await backupToGoTo(within))?.file, before);
    assert.equal((await backupToGoTo(settings, "rollback"))?.file, before);
    for (const one of [file, `${file}.sha256`, `${file}.objects.json`]) rmSync(one);
  });

  describe("taken from a node that the test plays", () => {
    const database = randomBytes(1024);
    const snapshot = Buffer.concat([database, hash("sha256", database, "buffer")]);
    const sum = hash("sha256", snapshot);
    /** @param silentAbout commands that fail */
    async function take(silentAbout: RegExp, goBack?: GoBack) {
      const folder = mkdtempSync(join(tmpdir(), "taken-"));
      const here = { ...settings, backup: { ...settings.backup, directory: folder } };
      const listed = () => readdirSync(backupDirectory(here)).filter((name) => name.startsWith("etcd-"));
      const node = await playNode((command) => {
        if (silentAbout.test(command)) return undefined;
        if (command.includes("etcd-save")) return `/db/snapshots/one\t${sum}\t${snapshot.length}\n`;
        if (command.includes("cat /db/snapshots/one")) return snapshot;
        if (command.includes("look-node")) return `versionOnDisk=${A}\nversionRunning=${A}\n`;
        return command.includes("sudo -n cat ") ? "secret" : "";
      });
      const servers = settings.servers.slice(0, 1).map((server) => ({ ...server, ...node.target }));
      const context = { settings: { ...here, servers, goBack }, sshPrivateKey: node.sshPrivateKey };
      try {
        const taken = await takeEtcdBackup({ ...context, proxmoxTokenSecret: "" }).catch(
          (error: Error) => error,
        );
        return { taken, files: listed(), newest: await newestBackup(here) };
      } finally {
        node.close();
        rmSync(folder, { recursive: true });
      }
    }

    it("has its sum and its census beside it", async () => {
      const { taken, files, newest } = await take(/never/);
      assert.ok(!(taken instanceof Error), String(taken));
      assert.equal(taken.file, newest?.file);
      const name = basename(taken.file);
      assert.deepEqual(files.toSorted(), [name, `${name}.objects.json`, `${name}.sha256`]);
    });

    it("is the accepted version's while its servers run that, and none of them is being mended", async () => {
      const version = async (...nodes: string[]) =>
        (await take(/never/, { strategy: "reinstall", nodes })).newest?.version;
      assert.equal(await version("proj-k8sw01"), A);
      assert.equal(await version("proj-k8sm01"), B);
    });

    it("stays where the node does not delete its own, which is told with what to do", async () => {
      const told: string[] = [];
      const { warn } = operatorLog;
      operatorLog.warn = async (message) => void told.push(message);
      try {
        const { taken, files } = await take(/etcd-delete/);
        assert.ok(!(taken instanceof Error), String(taken));
        assert.equal(files.length, 3);
      } finally {
        operatorLog.warn = warn;
      }
      assert.match(
        told.join(),
        /^the etcd snapshot one is off proj-k8sm01, and was not deleted there: .*refuses\n {2}next: there, as root: rke2 etcd-snapshot delete one$/,
      );
    });

    it("leaves none without its sum where what is fetched beside it does not come", async () => {
      const { taken, files } = await take(/rke2\.yaml/);
      assert.match(String(taken), /no etcd snapshot could be taken/);
      assert.deepEqual(files, []);
    });
  });
});
