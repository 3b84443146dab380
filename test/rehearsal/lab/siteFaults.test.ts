import assert from "node:assert/strict";
import { judgeBackupAges } from "../../../observe/checks/backups";
import type { Facts } from "../../../observe/facts";
import { lookAtHosts } from "../../../observe/proxmox";
import { siteFaults } from "../../../rehearsal/lab/siteFaults";
import { settingsFor } from "../../proxmox/stack";
import { ProxmoxLab, TOKEN_SECRET } from "../proxmox/lab";

/** Each fault as it is typed, and how the look that it is for tells it. */
const WRONG: readonly [fault: string, line: RegExp][] = [
  ["no-quorum", /^proxmox: quorum: fail: no quorum$/],
  ["no-snapshots 3002", /^proxmox: VM 3002 \(proj-k8sm02\): fail: running on node03, unlocked, cannot be/],
  ["vm-missing 3002", /^proxmox: VM 3002 \(proj-k8sm02\): fail: not listed$/],
  ["storage-full", /^proxmox: room for snapshots, nvmethin01 on node01: fail: 5 % free/],
  ["token-lacks VM.Snapshot", /^proxmox: the token's rights: fail: lacks VM\.Snapshot on \/vms\/3001,/],
  ["backups-old 3002", /^proxmox: age of each VM's last backup: warn: proj-k8sm02 7\d\d h$/],
];

describe("faults of Proxmox VE's own state", () => {
  let lab: ProxmoxLab;
  let faults: ReturnType<typeof siteFaults>;

  beforeEach(async () => {
    lab = await ProxmoxLab.start();
    faults = siteFaults(lab.state);
  });
  afterEach(() => lab.end());

  const fault = (name: string) => {
    const found = faults[name];
    assert.ok(found, name);
    return found;
  };

  /** Findings that are not good, as `check: verdict: found`. */
  async function complaints(): Promise<string[]> {
    const settings = settingsFor(lab);
    const hosts = { value: await lookAtHosts(settings, TOKEN_SECRET) };
    const ages = judgeBackupAges(settings, { hosts, at: new Date() } as unknown as Facts);
    return [...hosts.value.findings, ...ages]
      .filter(({ verdict }) => verdict !== "pass")
      .map(({ check, verdict, found }) => `${check}: ${verdict}: ${found}`);
  }

  for (const [typed, line] of WRONG) {
    it(`${typed} is seen, told, and taken back without a trace`, async () => {
      const [name = "", ...words] = typed.split(" ");
      // Twice is once, either way.
      for (let n = 0; n < 2; n++) await fault(name).set(true, ...words);
      assert.deepEqual(await fault(name).active(), [typed]);
      assert.ok((await complaints()).some((one) => line.test(one)));
      for (let n = 0; n < 2; n++) await fault(name).set(false, ...words);
      assert.deepEqual(await fault(name).active(), []);
      assert.deepEqual(await complaints(), []);
    });
  }

  it("backup-due has a job of every VM begin within the minute", async () => {
    await fault("backup-due").set(true);
    const jobs = async () => {
      const seen = (await lookAtHosts(settingsFor(lab), TOKEN_SECRET)).backups?.jobs;
      return seen && "value" in seen ? seen.value : [];
    };
    const job = (await jobs()).find(({ id }) => id === "backup-fault");
    assert.deepEqual(job, { id: "backup-fault", schedule: "minutely", vmIds: [3001, 3002, 3007] });
    assert.deepEqual(await fault("backup-due").active(), ["backup-due"]);
    await fault("backup-due").set(false);
    assert.equal((await jobs()).length, 2);
  });

  it("refuses what there is not, and says how it is typed", async () => {
    await assert.rejects(fault("vm-missing").set(true, "4711"), /there is no VM 4711/);
    await assert.rejects(fault("token-lacks").set(true, "VM.Snap"), /no role grants VM\.Snap/);
    await assert.rejects(fault("no-snapshots").set(true), /usage: fault no-snapshots <vm> \[on\|off\]/);
  });
});
