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

const sshPrivateKey = utils.generateKeyPairSync("ecdsa", { bits: 256 }).private;

/** Every finding of a way back that is asked for. */
async function asked(goBack: object, directory = "/nowhere") {
  const settings = parseSettings(
    lab({
      rke2Version: "v1.36.3+rke2r2",
      acceptedVersion: "v1.36.3+rke2r1",
      ingressController: "none",
      goBack,
      backup: { directory, recipients: [RECIPIENT], identityFile: "/nowhere/key.txt" },
      nodes: labNodes.map((node, i) => ({ ...node, address: `127.0.0.${i + 2}`, port: 1 })),
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
