/** What a way back asks where nothing answers at all: every port is closed. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "mocha";
import { utils } from "ssh2";
import { askBack } from "../../../components/recovery/questions";
import { parseSettings } from "../../../config";
import { lab, labNodes, RECIPIENT } from "../../config/lab";
import { playNode } from "../playedNode";

const sshPrivateKey = utils.generateKeyPairSync("ecdsa", { bits: 256 }).private;

/** Every finding of a way back that is asked for. */
async function asked(goBack: object, directory = "/nowhere", played: object = { port: 1 }) {
  const settings = parseSettings(
    lab({
      rke2Version: "v1.36.3+rke2r2",
      acceptedVersion: "v1.36.3+rke2r1",
      ingressController: "none",
      goBack,
      backup: { directory, recipients: [RECIPIENT], identityFile: "/nowhere/key.txt" },
      nodes: labNodes.map((node, i) => ({ ...node, ...played, address: `127.0.0.${i + 2}` })),
      proxmox: { endpoint: "https://127.0.0.1:1", tokenId: "rke2-upgrade@pve!operator" },
    }),
  );
  const findings = await askBack(
    { settings, sshPrivateKey, proxmoxTokenSecret: "00000000-0000-0000-0000-000000000000" },
    undefined,
  );
  return (check: string) => {
    const found = findings.find((one) => one.check === check);
    assert.ok(found, findings.map((one) => one.check).join("\n"));
    return found;
  };
}

describe("components/recovery/questions", () => {
  it("tells the age of the very snapshot that is put back, and why there is none newer", async () => {
    const directory = mkdtempSync(join(tmpdir(), "questions-"));
    const folder = join(directory, "CR-2026-041-v1.36.3-rke2r1");
    mkdirSync(folder);
    for (const name of ["T010000Z-v1.36.3-rke2r1", "T011200Z-v1.36.3-rke2r2"]) {
      for (const end of ["", ".sha256"]) writeFileSync(join(folder, `etcd-2026-01-01${name}.age${end}`), "");
    }
    try {
      const age = async (strategy: string) => (await asked({ strategy }, directory))("etcd snapshot: age");
      const [rollback, restore] = [await age("rollback"), await age("restore")];
      assert.match(rollback.found, /2026-01-01T01:12/);
      assert.equal(rollback.wanted, "at most 15 min, procedure §6.2");
      assert.match(rollback.next ?? "", /It is the newest that was taken/);
      assert.match(restore.found, /2026-01-01T01:00/);
      assert.match(restore.next ?? "", /A newer one of v1\.36\.3\+rke2r1 cannot be had/);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it("asks the first server for room for that very snapshot, and every server whether etcd's data can be moved", async () => {
    const directory = mkdtempSync(join(tmpdir(), "questions-"));
    const folder = join(directory, "CR-2026-041-v1.36.3-rke2r1");
    mkdirSync(folder);
    const file = join(folder, "etcd-2026-01-01T010000Z-v1.36.3-rke2r1.age");
    writeFileSync(file, Buffer.alloc(5 * 2 ** 20));
    writeFileSync(`${file}.sha256`, "");
    const said =
      "freeMiB=9000\nstateRoom=1 14\netcdRoom=1 14\netcdMounts=/var/lib/rancher/rke2/server/db/etcd \n";
    const node = await playNode((command) => (command.includes("look-back") ? said : ""), "0.0.0.0");
    try {
      const found = await asked({ strategy: "restore" }, directory, node.target);
      const room = (name: string) =>
        found(`${name}: room for the etcd snapshot, below /var/lib/rke2-upgrade and etcd's data`);
      assert.deepEqual(
        [room("proj-k8sm01").verdict, room("proj-k8sm01").wanted],
        ["fail", "15 MiB (3 × the snapshot's 5)"],
      );
      assert.throws(() => room("proj-k8sm02"));
      for (const name of ["proj-k8sm01", "proj-k8sm03"])
        assert.equal(found(`${name}: etcd's data can be moved aside`).verdict, "fail");
    } finally {
      node.close();
      rmSync(directory, { recursive: true });
    }
  });

  it("asks of the volumes of every machine that goes back, a server's too", async () => {
    const whole = await asked({ strategy: "rollback" });
    for (const name of ["proj-k8sm01", "proj-k8sm02", "proj-k8sm03"])
      assert.equal(whole(`${name}: volumes on its own disk`).verdict, "not measured");
    const one = await asked({ strategy: "rollback", nodes: ["proj-k8sm02"] });
    assert.equal(one("proj-k8sm02: volumes on its own disk").verdict, "not measured");
  });

  it("stops at an agent that does not answer, and says how the others go back without it", async () => {
    const whole = await asked({ strategy: "restore", without: ["proj-k8sw01"] });
    const left = whole("proj-k8sw01: left out (goBack.without)");
    assert.equal(left.verdict, "warn");
    assert.match(left.next ?? "", /stays off.*\{strategy: rollback, nodes: \[proj-k8sw01\]\}/);
    assert.throws(() => whole("proj-k8sw01: answers over SSH"));
    const other = whole("proj-k8sw02: answers over SSH");
    assert.equal(other.verdict, "not measured");
    assert.match(other.next ?? "", /goBack\.without\[1\]' proj-k8sw02/);
    assert.match(
      whole("proj-k8sm01: answers over SSH").next ?? "",
      /goBack\.strategy rollback, without nodes/,
    );
    const alone = await asked({ strategy: "reinstall", nodes: ["proj-k8sw01"] });
    assert.equal(alone("proj-k8sm01: answers over SSH, to help").verdict, "not measured");
    assert.match(
      alone("proj-k8sw01: answers over SSH").next ?? "",
      /\{strategy: rollback, nodes: \[proj-k8sw01\]\}/,
    );
  });
});
