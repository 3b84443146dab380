import assert from "node:assert/strict";
import { lookAtHosts, lookAtVm } from "../../observe/proxmox";
import type { Cluster } from "../../rehearsal/proxmox/cluster";
import { settingsFor } from "../proxmox/stack";
import { ProxmoxLab, TOKEN_SECRET } from "../rehearsal/proxmox/lab";

describe("looks at Proxmox VE", () => {
  let lab: ProxmoxLab;

  beforeEach(async () => {
    lab = await ProxmoxLab.start();
  });
  afterEach(() => lab.end());

  const change = (changes: Partial<Cluster>) => lab.standIn.site.clusterFile.change(changes);
  const cluster = () => lab.standIn.site.clusterFile.read();

  /** Findings that are not good, as `check: verdict: found`. */
  async function complaints(sharedHost: string[] = []): Promise<string[]> {
    const given = settingsFor(lab);
    const consents = { ...given.consents, sharedHost };
    const { findings } = await lookAtHosts({ ...given, consents }, TOKEN_SECRET);
    for (const { verdict, next } of findings) assert.equal(verdict === "pass", next === undefined);
    return findings
      .filter(({ verdict }) => verdict !== "pass")
      .map(({ check, verdict, found }) => `${check}: ${verdict}: ${found}`);
  }

  function setFree(share: number): void {
    const { storages } = cluster();
    const pool = storages.nvmethin01;
    assert.ok(pool);
    change({ storages: { ...storages, nvmethin01: { ...pool, used: pool.total * (1 - share) } } });
  }

  it("finds nothing wrong in a lab where nothing is", async () => {
    assert.deepEqual(await complaints(), []);
    assert.deepEqual(lab.guests.history, []);
  });

  it("asks before a run whether the restore test can look into its clone, and has memory for it", async () => {
    const told = async (agent: string | undefined, memory: string) => {
      lab.standIn.site.vms.update("node01", 3001, (config) => {
        const { agent: _, ...values } = config.values;
        config.values = { ...values, memory, ...(agent !== undefined && { agent }) };
      });
      return complaints();
    };
    assert.deepEqual(await told("enabled=1,fstrim_cloned_disks=1", "current=16384"), []);
    const off = [
      "proxmox: the restore test of VM 3001: fail: guest agent off; 16384 MiB for it, 262144 MiB free on node01",
    ];
    assert.deepEqual(await told(undefined, "16384"), off);
    assert.deepEqual(await told("0", "16384"), off);
    assert.deepEqual(await told("1", "524288"), [
      "proxmox: the restore test of VM 3001: warn: guest agent on; 524288 MiB for it, 262144 MiB free on node01",
    ]);
    const given = { ...settingsFor(lab), restoreTest: { ...settingsFor(lab).restoreTest, enabled: false } };
    const { findings } = await lookAtHosts(given, TOKEN_SECRET);
    assert.ok(!findings.some(({ check }) => check.includes("restore test")));
  });

  it("reads which jobs back up which VMs, by whose clock, and each VM's last backup", async () => {
    const { backups } = await lookAtHosts(settingsFor(lab), TOKEN_SECRET);
    assert.deepEqual(backups?.jobs, {
      value: [
        { id: "backup-nightly-1", schedule: "01:00", vmIds: [3001, 3007] },
        { id: "backup-nightly-2", schedule: "01:30", vmIds: [3002] },
      ],
    });
    assert.deepEqual(backups?.timeZone, { value: "UTC" });
    const hours = [...(backups?.last.values() ?? [])].map(
      ({ at }) => (Date.now() - (at?.getTime() ?? 0)) / 3_600_000,
    );
    assert.ok(hours.length === 3 && hours.every((age) => age >= 0 && age <= 24), String(hours));
  });

  it("knows whom a job covers that names a pool, or separates its VMs by spaces", async () => {
    const job = (id: string, more: object) => ({ id, enabled: 1, schedule: "01:00", ...more });
    change({
      pools: { rke2: [3002, 4000], other: [3001] },
      backupJobs: [job("pool", { pool: "rke2" }), job("listed", { vmid: "3001, 3007" })],
    });
    const { backups } = await lookAtHosts(settingsFor(lab), TOKEN_SECRET);
    assert.deepEqual(backups?.jobs, {
      value: [
        { id: "pool", schedule: "01:00", vmIds: [3002] },
        { id: "listed", schedule: "01:00", vmIds: [3001, 3007] },
      ],
    });

    const { roles } = lab.standIn.site.clusterFile.read();
    const RKE2Upgrade = (roles.RKE2Upgrade ?? []).filter((one) => one !== "Pool.Audit");
    change({ roles: { ...roles, RKE2Upgrade } });
    const blind = (await lookAtHosts(settingsFor(lab), TOKEN_SECRET)).backups?.jobs;
    assert.match(
      JSON.stringify(blind),
      /"missing":.*names a pool, and the token lacks Pool\.Audit on \/pool\/rke2/,
    );
  });

  for (const host of ["node01", "node03"]) {
    it(`loses what ${host} alone can tell while it is down, and nothing else`, async () => {
      const before = await lookAtHosts(settingsFor(lab), TOKEN_SECRET);
      lab.fault(`node-offline-${host}`);
      const { findings, backups } = await lookAtHosts(settingsFor(lab), TOKEN_SECRET);
      assert.deepEqual(
        findings.map(({ check }) => check.replace(/, .* (\S+)$/, " $1")),
        before.findings.map(({ check }) => check.replace(/, .* (\S+)$/, " $1")),
      );
      const lost = findings.filter(({ verdict }) => verdict === "not measured");
      assert.deepEqual(
        lost.map(({ check }) => check),
        [
          `proxmox: VM ${host === "node01" ? "3001 (proj-k8sm01)" : "3002 (proj-k8sm02)"}`,
          ...(host === "node01" ? ["proxmox: the restore test of VM 3001"] : []),
          `proxmox: room for snapshots, the storages of ${host}`,
        ],
      );
      for (const { found } of lost) assert.match(found, /HTTP 595/);
      assert.deepEqual(backups?.timeZone, { value: "UTC" });
      assert.ok(backups && "value" in backups.jobs && backups.jobs.value.length === 2);
    });
  }

  it("says before a turn what a host that is down cannot tell of its VM", async () => {
    const settings = settingsFor(lab);
    const [node] = settings.nodes;
    assert.ok(node);
    lab.fault("node-offline-node01");
    const { findings } = await lookAtVm(settings, node, TOKEN_SECRET);
    assert.deepEqual(
      findings.map(({ check, verdict }) => `${check}: ${verdict}`),
      [
        "proxmox: the token's rights: pass",
        "proxmox: quorum: pass",
        "proxmox: servers on different hosts: pass",
        "proxmox: VM 3001 (proj-k8sm01): not measured",
        "proxmox: room for snapshots, the storages of node01: not measured",
        "proj-k8sm01: its VM's snapshot: not measured",
      ],
    );
  });

  it("does not know by whose clock jobs run where no host answers", async () => {
    for (const host of ["node01", "node03", "node07"]) lab.fault(`node-offline-${host}`);
    const { backups } = await lookAtHosts(settingsFor(lab), TOKEN_SECRET);
    assert.match(JSON.stringify(backups?.timeZone), /missing.*595/);
  });

  it("does not take what the token may not see for none", async () => {
    change({ acl: cluster().acl.filter(({ roleid }) => roleid !== "RKE2SeeBackups") });
    const { backups } = await lookAtHosts(settingsFor(lab), TOKEN_SECRET);
    const { at, unseen } = backups?.last.get(3002) ?? {};
    assert.equal(at, undefined);
    assert.equal(unseen, "the token lacks VM.Backup on /vms/3002");
  });

  it("names a right that is missing, and what could not be asked for it", async () => {
    const { roles } = cluster();
    const without = (roles.RKE2Upgrade ?? []).filter((privilege) => privilege !== "VM.Snapshot");
    change({ roles: { ...roles, RKE2Upgrade: without } });
    const [first, ...others] = await complaints();
    assert.equal(
      first,
      "proxmox: the token's rights: fail: lacks VM.Snapshot on /vms/3001, VM.Snapshot on /vms/3002, VM.Snapshot on /vms/3007",
    );
    // The others stand there by their names.
    assert.equal(others.length, 7);
    for (const line of others) assert.match(line, /: not measured: see "proxmox: the token's rights"$/);
  });

  it("counts a right of the token that its user lacks as missing", async () => {
    change({ acl: cluster().acl.filter(({ ugid }) => ugid !== "rke2-upgrade@pve") });
    assert.match((await complaints()).join(), /lacks Sys\.Audit on \/,/);
  });

  it("judges the room in each host's pool", async () => {
    setFree(0.15);
    assert.deepEqual(
      (await complaints()).map((line) => line.replace(/ \(.*/, "")),
      ["node01", "node03", "node07"].map(
        (host) => `proxmox: room for snapshots, nvmethin01 on ${host}: warn: 15 % free`,
      ),
    );
    setFree(0.05);
    assert.match((await complaints()).join(), /nvmethin01 on node07: fail: 5 % free/);
  });

  it("fails without quorum, and warns of a lock", async () => {
    change({ quorate: false });
    lab.fault("vm-locked-3002");
    const found = await complaints();
    assert.equal(found[0], "proxmox: quorum: fail: no quorum");
    assert.match(found[1] ?? "", /VM 3002 .*: warn: running on node03, locked \(backup\)/);
    assert.equal(found.length, 2);
  });

  it("stops for servers that share a host, wherever they have moved, unless that host is named", async () => {
    lab.move(3002, "node03", "node01");
    const shared = "proxmox: servers on different hosts: fail: node01, node01";
    assert.deepEqual(await complaints(), [shared]);
    assert.deepEqual(await complaints(["node03"]), [shared]);
    assert.deepEqual(await complaints(["node03", "node01"]), [shared.replace("fail", "warn")]);
  });

  it("tells where every VM is now, before a run and before a turn", async () => {
    const given = settingsFor(lab);
    lab.move(3002, "node03", "node07");
    const [node] = given.nodes;
    assert.ok(node);
    for (const { places } of [
      await lookAtHosts(given, TOKEN_SECRET),
      await lookAtVm(given, node, TOKEN_SECRET),
    ])
      assert.equal(places?.find(({ vmId }) => vmId === 3002)?.host, "node07");
  });

  it("asks rights, quorum and the servers' hosts again before each turn, an agent's too", async () => {
    const given = settingsFor(lab);
    const asked = async () =>
      Promise.all(given.nodes.map((node) => lookAtVm(given, node, TOKEN_SECRET))).then((turns) =>
        turns.map(({ findings }) =>
          findings.flatMap(({ check, verdict, found }) =>
            verdict === "pass" || check.includes("snapshot") ? [] : [`${check}: ${verdict}: ${found}`],
          ),
        ),
      );
    assert.deepEqual(await asked(), [[], [], []]);
    lab.move(3002, "node03", "node01");
    const shared = ["proxmox: servers on different hosts: fail: node01, node01"];
    assert.deepEqual(await asked(), [shared, shared, shared]);
    const { roles } = cluster();
    change({
      roles: { ...roles, RKE2Upgrade: (roles.RKE2Upgrade ?? []).filter((one) => one !== "VM.Snapshot") },
    });
    for (const [first, ...more] of await asked()) {
      assert.match(first ?? "", /the token's rights: fail: lacks VM\.Snapshot on \/vms\/3001/);
      for (const other of more) assert.match(other, /: not measured: see "proxmox: the token's rights"$/);
    }
  });

  it("fails for a storage that takes no snapshots", async () => {
    const { storages } = cluster();
    const pool = storages.nvmethin01;
    assert.ok(pool);
    change({ storages: { ...storages, nvmethin01: { ...pool, type: "dir" } } });
    assert.match((await complaints())[0] ?? "", /VM 3001 \(proj-k8sm01\): fail: .*cannot be snapshotted/);
  });
});
