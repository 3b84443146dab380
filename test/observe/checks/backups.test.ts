import assert from "node:assert/strict";
import { judgeRun } from "../../../components/judgement";
import type { Facts } from "../../../observe";
import { judgeBackupAges } from "../../../observe/checks/backups";
import type { BackupFacts } from "../../../observe/proxmox";
import { facts, OWNER, settings } from "../facts";

const SUNDAY = new Date("2026-09-06T01:05:00Z");
const hoursAgo = (hours: number) => new Date(SUNDAY.getTime() - hours * 3_600_000);
const backups = (changes: Partial<BackupFacts> = {}): BackupFacts => ({
  jobs: { value: [{ id: "nightly", schedule: "03:30", vmIds: [3001, 3002] }] },
  timeZone: { value: "UTC" },
  last: new Map(settings.nodes.map(({ vmId }) => [vmId, { at: hoursAgo(24) }])),
  ...changes,
});
const seen = (changes: Partial<BackupFacts> = {}, at = SUNDAY): Facts => ({
  ...facts(),
  at,
  hosts: { value: { findings: [], backups: backups(changes) } },
});

describe("observe/checks/backups", () => {
  const jobs = (changes: Partial<BackupFacts>, at = SUNDAY) =>
    judgeRun(settings, seen(changes, at), OWNER, undefined).find(({ check }) =>
      check.startsWith("timing: backup jobs"),
    );
  const job = (schedule: string) => ({ jobs: { value: [{ id: "nightly", schedule, vmIds: [3001] }] } });

  it("tells a job in the window with its time, and warns of one that begins while VMs are snapshotted", () => {
    assert.equal(jobs({})?.verdict, "pass");
    assert.equal(jobs({})?.found, "nightly (3001, 3002): Sun 2026-09-06 03:30 UTC");
    assert.equal(jobs(job("01:10"))?.verdict, "warn");
    assert.equal(jobs(job("00:30"))?.found, "none");
  });

  it("warns of a schedule that it cannot read", () => {
    const told = jobs(job("2026-*-01 01:10"));
    assert.equal(told?.verdict, "warn");
    assert.match(told?.found ?? "", /"2026-\*-01 01:10" cannot be read/);
    assert.match(told?.next ?? "", /Schedule Simulator/);
  });

  it("does not take jobs or a clock that nobody told for none", () => {
    assert.equal(jobs({ jobs: { missing: "HTTP 500" } })?.verdict, "not measured");
    assert.match(jobs({ timeZone: { missing: "node01: HTTP 595" } })?.found ?? "", /node01: HTTP 595/);
    for (const hosts of [{ missing: "ECONNREFUSED" }, { value: { findings: [] } }]) {
      const unseen = judgeRun(settings, { ...seen(), hosts }, OWNER, undefined).filter(({ check }) =>
        /backup jobs|last backup/.test(check),
      );
      assert.deepEqual(
        unseen.map(({ verdict }) => verdict),
        ["not measured", "not measured"],
      );
    }
  });

  it("judges the next window while all are closed, by the hosts' own clock", () => {
    const thursday = new Date("2026-09-03T09:00:00Z");
    assert.equal(jobs(job("01:10"), thursday)?.verdict, "warn");
    assert.equal(jobs({ ...job("03:10"), timeZone: { value: "Europe/Berlin" } }, thursday)?.verdict, "warn");
    assert.equal(jobs({ ...job("01:10"), timeZone: { value: "Europe/Berlin" } }, thursday)?.found, "none");
  });

  it("tells the oldest backup, names a VM without a recent one, and what cannot be seen", () => {
    const age = (changes: Partial<BackupFacts> = {}) => judgeBackupAges(settings, seen(changes))[0];
    assert.equal(age()?.found, "the oldest 24 h");
    const last = new Map(backups().last);
    last.set(3002, { at: hoursAgo(50) }).set(3003, {});
    assert.equal(age({ last })?.found, "proj-k8sm02 50 h, proj-k8sm03 none");
    assert.equal(age({ last })?.verdict, "warn");
    last.set(3004, { unseen: "the token lacks VM.Backup on /vms/3004" });
    assert.match(age({ last })?.found ?? "", /unseen for proj-k8sw01: the token lacks VM\.Backup/);
  });
});
