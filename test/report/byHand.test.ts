/** What a runbook does in Proxmox VE and with the locks: its own text, against the stand-in's API, over a played ssh. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { backupDirectory, backupFile } from "../../components/etcdBackups";
import type { GoBack } from "../../config";
import { ProxmoxClient } from "../../proxmox/client";
import { AT_REST, ownMark } from "../../proxmox/mark";
import { takeSnapshot } from "../../proxmox/snapshots";
import { ClusterFile } from "../../rehearsal/proxmox/cluster";
import { runbook } from "../../report/runbook/make";
import { ProxmoxLab, TOKEN_ID, TOKEN_SECRET } from "../rehearsal/proxmox/lab";
import { FROM, OWNER, settingsOf, TO } from "./fixtures";

const NAME = "rke2-v1-35-4-r1-CR-1";
const MARK = ownMark(FROM);
const upgrade = settingsOf();
const back = {
  ...upgrade,
  goBack: { strategy: "rollback" } as GoBack,
  backup: { ...upgrade.backup, identityFile: "/identity" },
};

describe("report/runbook: by hand", function () {
  this.timeout(30_000);
  let lab: ProxmoxLab;
  let client: ProxmoxClient;
  let folder: string;
  let file: string;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "by-hand-"));
    file = join(folder, "runbook.sh");
    lab = await ProxmoxLab.start();
    client = new ProxmoxClient(lab.access);
    writeFileSync(join(folder, "token"), `${TOKEN_ID}=${TOKEN_SECRET}\n`);
    played("exit 0");
    await take(3001, NAME, `sm01; ${AT_REST}\n${MARK}`);
    lab.guests.guest(3001).disk = "v2";
  });
  afterEach(async () => {
    await client.close();
    await lab.end();
    rmSync(folder, { recursive: true });
  });

  const take = (vmId: number, name: string, description: string) =>
    takeSnapshot(client, vmId, name, description, new Date(Date.now() + 5000));
  const played = (ssh: string) =>
    writeFileSync(join(folder, "ssh"), `#!/usr/bin/env bash\n${ssh}\n`, { mode: 0o755 });

  /** Runs those lines of a runbook that match, beneath everything that stands above its first step. */
  function byHand(settings: typeof upgrade, lines: RegExp, attempt = 2): Promise<[number, string]> {
    const { endpoint, caCertificate } = lab.access;
    const proxmox = { ...settings.proxmox, endpoint, caCertificate };
    const text = runbook({
      settings: { ...settings, proxmox, limits: { ...settings.limits, sshSeconds: 2 } },
      ...{ owner: OWNER, attempt, done: new Set<string>(), moved: { from: FROM, under: "CR-1" } },
    });
    const [above = ""] = text.split("\nif step ");
    const steps = text.split("\n").filter((line) => lines.test(line));
    assert.ok(steps.length > 0, String(lines));
    writeFileSync(file, [above, ...steps, ""].join("\n"));
    const env = {
      ...process.env,
      PATH: `${folder}:${process.env.PATH}`,
      SSH_KEY: "/key",
      PROXMOX_TOKEN_FILE: join(folder, "token"),
      AGE_IDENTITY: "/identity",
    };
    return new Promise((resolve) =>
      execFile("bash", [file], { env }, (error, stdout, stderr) =>
        resolve([error ? Number(error.code) : 0, stdout + stderr]),
      ),
    );
  }
  const rollback = (attempt?: number) => byHand(back, /^ {2}vm_rollback node01 3001 /, attempt);
  const done = () => lab.guests.history.filter((what) => what === "rollback 3001").length;
  const refused = async (ended: Promise<[number, string]>, reason: RegExp) => {
    const [code, output] = await ended;
    assert.equal(code, 1, output);
    assert.match(output, reason);
    assert.match(output, /next: /);
  };

  it("puts a VM back to the newest of the change's own, once a runbook", async () => {
    lab.guests.guest(3001).disk = "v1-renewed";
    await take(3001, `${NAME}-2`, `sm01; ${AT_REST}; renewed\n${MARK}`);
    await take(3001, `${NAME}-3`, "of this name, and not ours");
    await take(3001, "somebodys", `},{ "name":"${NAME}-9" ${MARK}`);
    const [code, output] = await rollback();
    assert.equal(code, 0, output);
    assert.match(output, new RegExp(`goes back to ${NAME}-2\n`));
    assert.deepEqual([lab.guests.guest(3001).disk, lab.guests.guest(3001).running], ["v1-renewed", true]);
    // A rerun leaves what the machine has written since, but powers on what an earlier one could not.
    lab.guests.guest(3001).disk = "v3";
    await lab.guests.stop(3001);
    const [again, said] = await rollback();
    assert.equal(again, 0, said);
    assert.match(said, /was rolled back since .* already: passed over/);
    assert.deepEqual([lab.guests.guest(3001).disk, lab.guests.guest(3001).running, done()], ["v3", true, 1]);
    assert.ok(existsSync(`${file}.began`));
    // The change's next attempt goes back anew; tasks tell whole seconds.
    const second = Math.floor(Date.now() / 1000);
    while (Math.floor(Date.now() / 1000) === second) await pause(50);
    assert.equal((await rollback(3))[0], 0);
    assert.deepEqual([lab.guests.guest(3001).disk, done()], ["v1-renewed", 2]);
  });

  it("refuses what would start old etcd data, a VM under high availability, and one without a snapshot", async () => {
    const highlyAvailable = (state: string) =>
      new ClusterFile(lab.state).change({ haResources: [{ sid: "vm:3001", type: "vm", state }] });
    highlyAvailable("started");
    await refused(rollback(), /VM 3001 is managed for high availability \(started\)/);
    highlyAvailable("ignored");
    await take(3001, `${NAME}-2`, `sm01; renewed\n${MARK}`);
    await refused(rollback(), /would start RKE2 with old etcd data/);
    await refused(byHand(back, /^ {2}vm_rollback node03 3002 /), /VM 3002 has no whole snapshot/);
    assert.equal(done(), 0);
  });

  it("places the snapshot that the program would: within a minor the newest where machines are lost", async () => {
    const WITHIN = "v1.35.9+rke2r1";
    const within = { ...back, rke2Version: WITHIN, backup: { ...back.backup, directory: folder } };
    mkdirSync(backupDirectory(within));
    const files = [FROM, WITHIN, TO].map((version, i) =>
      backupFile(within, new Date(`2026-11-24T0${i}:00:00Z`), version),
    );
    for (const file of files) {
      writeFileSync(file, "");
      writeFileSync(`${file}.sha256`, "0".repeat(64));
    }
    writeFileSync(join(folder, "age"), "#!/usr/bin/env bash\n", { mode: 0o755 });
    const placing = async (settings: typeof upgrade) => {
      const [code, output] = await byHand(settings, /^ {2}place_backup /);
      assert.equal(code, 0, output);
      return files.findIndex((file) => output.includes(`placing ${file}\n`));
    };
    assert.equal(await placing(within), 1);
    assert.equal(await placing({ ...within, goBack: { strategy: "restore" } }), 0);
    assert.equal(await placing({ ...within, rke2Version: TO }), 0);
  });

  it("waits for SSH after it, bounded", async () => {
    played(`echo no route >&2; [ -e ${folder}/up ] || { touch ${folder}/up; exit 255; }`);
    assert.equal((await rollback())[0], 0);
    played("echo no route >&2; exit 255");
    await refused(rollback(), /does not answer over SSH after 2 s: no route/);
  });

  it("keeps a snapshot that is the change's own, and refuses to take another's for it", async () => {
    const snapshot = (vm: string) => byHand(upgrade, new RegExp(`^ {2}vm_snapshot ${vm} `));
    assert.match((await snapshot("node01 3001"))[1], /has .* already: kept/);
    await take(3002, NAME, "by hand");
    await refused(snapshot("node03 3002"), /that this change did not take/);
  });

  it("deletes the change's snapshots and their renewals, passes over those that are gone, and touches no other", async () => {
    await take(3001, `${NAME}-2`, `sm01; renewed\n${MARK}`);
    await take(3001, `${NAME}-3`, "of this name, and not ours");
    await take(3002, NAME, `sm02\n${MARK}`);
    await take(3002, `${NAME}0`, `sm02\n${MARK}`);
    const accepted = settingsOf({ acceptedVersion: TO });
    for (const pass of ["first", "again"]) {
      const [code, output] = await byHand(accepted, /^ {2}vm_release node0[13] 300[12] /);
      assert.equal(code, 0, `${pass}: ${output}`);
      const left = [3001, 3002].map((vmId) => [...lab.guests.guest(vmId).snapshots.keys()]);
      assert.deepEqual(left, [[`${NAME}-3`], [`${NAME}0`]]);
      if (pass === "again") assert.match(output, /VM 3001 has no snapshot .* any more/);
    }
  });

  it("on the way back takes the nodes alone where the API is dead, but stops where another change holds the cluster", async () => {
    const locks = /^ {2}script_hold_cluster /;
    played("cat >/dev/null; echo 'hold-cluster: the connection was refused' >&2; exit 1");
    const [code, output] = await byHand(back, locks);
    assert.equal(code, 0, output);
    assert.match(output, /the nodes are taken alone/);
    played("cat >/dev/null; echo 'hold-cluster: the cluster is held by another change: CR-9' >&2; exit 1");
    await refused(byHand(back, locks), /CR-9.*another change holds the cluster/s);
    await refused(byHand(upgrade, locks), /CR-9/);
  });
});
