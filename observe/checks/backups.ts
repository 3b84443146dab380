import { type Estimate, nextAfter, openAt, type Settings, utc } from "../../config";
import { firstRun, parseCalendar } from "../../proxmox/calendar";
import type { Facts } from "../facts";
import { type Finding, should } from "../finding";
import type { Look } from "../look";
import type { BackupFacts, HostFacts } from "../proxmox";
import { unmeasured } from "../unmeasured";

/**
 * Proxmox's backup jobs in the window: the lock of one at work on a VM stops that VM's snapshot, so one that begins
 * while snapshots are taken warns; the others are told with their time. One whose schedule nobody here can read warns.
 */
export function judgeBackupJobs(settings: Settings, { hosts, at }: Facts, estimate: Estimate): Finding[] {
  const open = openAt(settings.windows, at);
  const span = open ? { start: at, end: open.end } : nextAfter(settings.windows, at);
  if (!span) return [];
  const snapshotted = new Date(span.start.getTime() + estimate.beforeSeconds * 1000);
  const question = {
    check: "timing: backup jobs of these VMs in the window",
    wanted: `none until the VMs are snapshotted, about ${utc(snapshotted)}`,
  };
  const schedules = schedulesIn(hosts);
  if ("missing" in schedules) {
    const next = "look yourself: Datacenter, Backup; by whose clock: timedatectl on a host";
    return unmeasured([question], schedules.missing, next);
  }
  const { jobs, timeZone } = schedules.value;
  const told = jobs.flatMap(({ id, schedule, vmIds }) => {
    const calendar = parseCalendar(schedule);
    const name = `${id} (${vmIds.join(", ")})`;
    if (!calendar) return [{ text: `${name}: "${schedule}" cannot be read here`, collides: true }];
    const run = firstRun(calendar, timeZone, span.start, span.end);
    return run ? [{ text: `${name}: ${utc(run)}`, collides: run < snapshotted }] : [];
  });
  return [
    {
      ...question,
      found: told.map(({ text }) => text).join("; ") || "none",
      ...should(
        !told.some(({ collides }) => collides),
        `move the job, or begin later: a snapshot waits ${settings.limits.snapshotSeconds} s for a backup's lock, then stops the run. When one runs whose schedule cannot be read: Datacenter, Backup, Schedule Simulator`,
      ),
    },
  ];
}

/** How old each VM's last backup is (procedure §6.1): the snapshots of this change die with their host. */
export function judgeBackupAges(settings: Settings, { hosts, at }: Facts): Finding[] {
  const finding = {
    check: "proxmox: age of each VM's last backup",
    wanted: `at most ${settings.backup.maxAgeHours} h`,
  };
  const backups = backupsIn(hosts);
  if ("missing" in backups)
    return unmeasured([finding], backups.missing, "look yourself: Datacenter, Backup");
  const { last } = backups.value;
  const limit = settings.backup.maxAgeHours;
  const rows = settings.nodes.flatMap(({ name, vmId }) => {
    const seen = last.get(vmId);
    const hours = seen?.at && Math.floor((at.getTime() - seen.at.getTime()) / 3_600_000);
    return seen ? [{ name, hours, unseen: hours === undefined ? seen.unseen : undefined }] : [];
  });
  const unseen = rows.filter((row) => row.unseen);
  const bad = rows.filter(({ hours, unseen }) => !unseen && !(hours !== undefined && hours <= limit));
  const said = bad.map(({ name, hours }) => `${name} ${hours === undefined ? "none" : `${hours} h`}`);
  if (unseen.length > 0) {
    const reasons = [...new Set(unseen.map((row) => row.unseen))].join("; ");
    const found = [...said, `unseen for ${unseen.map(({ name }) => name).join(", ")}: ${reasons}`].join(", ");
    const next = "grant the role RKE2SeeBackups (docs/proxmox.md), or look yourself: Datacenter, Backup";
    return [{ ...finding, found, verdict: "warn", next }];
  }
  return [
    {
      ...finding,
      found: said.join(", ") || `the oldest ${Math.max(0, ...rows.map(({ hours }) => hours ?? 0))} h`,
      ...should(bad.length === 0, "back them up now (vzdump VMID), or see why the job did not run"),
    },
  ];
}

const backupsIn = (hosts: Look<HostFacts>): Look<BackupFacts> => {
  if ("missing" in hosts) return { missing: 'see "proxmox: the API answers"' };
  return hosts.value.backups
    ? { value: hosts.value.backups }
    : { missing: 'see "proxmox: the token\'s rights"' };
};

/** The jobs and the clock by which they run: one without the other tells nothing. */
function schedulesIn(hosts: Look<HostFacts>) {
  const backups = backupsIn(hosts);
  if ("missing" in backups) return backups;
  const { jobs, timeZone } = backups.value;
  if ("missing" in jobs) return jobs;
  if ("missing" in timeZone) return timeZone;
  return { value: { jobs: jobs.value, timeZone: timeZone.value } };
}
