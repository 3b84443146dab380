/**
 * A version bump that patches the nodes' OS as well: held up by another package manager, then by a node that does not come
 * back from its reboot. One story in order.
 */
import assert from "node:assert/strict";
import { before, describe, it } from "mocha";
import { setFault } from "../../rehearsal/lab/faults";
import { Machine } from "../../rehearsal/machines/machine";
import { until } from "../../rehearsal/machines/poll";
import { AGENTS, areWell, NEW, NODES, OLD, SERVERS, upWell } from "../e2e/back";
import { identities, restarts, versions } from "../e2e/history";
import { configure, ok, onNode, up } from "../e2e/operator";
import { bootedAt, bootIds, outdate, packages, told, upgradedAt } from "../e2e/os";

/** Their repositories have newer packages, one of which asks for a reboot; w04 has a GPU. */
const REBOOTED = ["proj-k8sm01", "proj-k8sw01", "proj-k8sw04"];
/** The same without such a request. */
const QUIET = "proj-k8sw02";
const OUTDATED = [...REBOOTED, QUIET];

describe("an upgrade that patches the nodes' OS", function () {
  this.timeout(25 * 60_000);
  this.bail(true);

  let bootsBefore: Record<string, string>;
  let countsBefore: number[];
  let began: Date;
  /** How many boots each node's journal knows: a lab that was restored has booted before. */
  const bootCounts = () =>
    Promise.all(
      NODES.map(async (node) => Number(await onNode(node, "sudo journalctl --list-boots --quiet | wc -l"))),
    );

  before(async () => {
    await upWell();
    await outdate(REBOOTED, [QUIET]);
    [bootsBefore, countsBefore] = [await bootIds(), await bootCounts()];
    began = new Date();
    await configure({
      "limits.soakServerSeconds": "5",
      "limits.soakAgentSeconds": "5",
      "limits.packageLockSeconds": "10",
      // What RKE2 leaves running is waited for by systemd at shutdown, 90 s at most, before it is killed.
      "limits.rebootSeconds": "130",
      "restoreTest.enabled": "false",
      "osPatch.packages": "security",
      "osPatch.servers": "true",
      rke2Version: NEW,
    });
  });

  it("says before, node by node, what would be upgraded and what is held", async () => {
    const said = await ok("pulumi", "preview", "--non-interactive", "--color=never");
    assert.match(
      said,
      /ok {2}proj-k8sw01: OS packages \(security\): 2 to upgrade \(apt.*\): linux-image-rehearsal 1\.0 → 1\.1, rehearsal-base 1\.0 → 1\.1; no reboot is pending/,
    );
    assert.match(
      said,
      /proj-k8sw04: OS packages .*: 1 to upgrade .*; held, since kernel and GPU driver .*: linux-image-rehearsal;/,
    );
    assert.match(said, /proj-k8sw03: OS packages .*: none to upgrade/);
    assert.match(said, /proj-k8sm01: upgrade OS packages \(security\), holds honoured/);
    assert.match(said, /proj-k8sw01: reboot if the OS asks for it/);
  });

  it("stops at an agent whose package manager is busy for longer than allowed, later agents untouched", async () => {
    await setFault(["package-lock", "proj-k8sw01", "on"]);
    const { code, output } = await up();
    await setFault(["package-lock", "proj-k8sw01", "off"]);
    assert.notEqual(code, 0, output);
    assert.match(
      output,
      /proj-k8sw01: patch: another package manager has been at work here for 10 s: .*lock.*\n\s*next: wait until it has ended/,
    );
    const now = await versions();
    assert.deepEqual(
      [...SERVERS, ...AGENTS].map((node) => now[node]),
      [NEW, NEW, NEW, OLD, OLD, OLD, OLD],
    );
    // A server that was patched is back with its pods, and the others were never rebooted.
    const boots = await bootIds();
    assert.deepEqual(
      NODES.filter((node) => boots[node] !== bootsBefore[node]),
      ["proj-k8sm01"],
    );
  });

  it("stops at an agent that does not come back from its reboot, and names its case of the way back", async () => {
    await setFault(["no-return", "proj-k8sw01", "on"]);
    const { code, output } = await up();
    assert.notEqual(code, 0, output);
    assert.match(
      output,
      /proj-k8sw01: reboot: does not answer over SSH 130 s after its reboot was asked for .*\n\s*next: look at the console of VM 3004 on node02.*§6\.2 worker node failure.*goBack/,
    );
    const now = await versions();
    assert.deepEqual(
      AGENTS.map((node) => now[node]),
      [OLD, OLD, OLD, OLD],
    );
  });

  it("goes on where it stopped once that machine is started again, to the end", async () => {
    await setFault(["no-return", "proj-k8sw01", "off"]);
    await (await Machine.byName("proj-k8sw01")).start();
    await until("proj-k8sw01 to answer again", 90, async () => {
      const now = await identities();
      return now["proj-k8sw01"]?.bootId !== bootsBefore["proj-k8sw01"];
    });
    await upWell();
    await areWell(() => NEW);
  });

  it("has rebooted the nodes whose OS asked for it, once, and no other", async () => {
    const boots = await bootIds();
    assert.deepEqual(
      NODES.filter((node) => boots[node] !== bootsBefore[node]),
      REBOOTED,
    );
    assert.deepEqual(
      await bootCounts(),
      NODES.map((node, i) => (countsBefore[i] ?? 0) + (REBOOTED.includes(node) ? 1 : 0)),
    );
  });

  it("has upgraded what it should: not what is held, not RKE2's own, no kernel without its driver", async () => {
    for (const node of OUTDATED)
      assert.deepEqual(await packages(node), [
        `linux-image-rehearsal=${node === "proj-k8sw04" ? "1.0" : "1.1"}`,
        "rehearsal-base=1.1",
        "rehearsal-held=1.0",
        "rke2-rehearsal=1.0",
      ]);
    const manifest = JSON.parse(await ok("pulumi", "stack", "output", "manifest", "--json"));
    assert.deepEqual(manifest["proj-k8sw04"].packages, {
      before: ["rehearsal-base=1.0"],
      after: ["rehearsal-base=1.1"],
    });
    assert.deepEqual(manifest["proj-k8sw03"].packages, { before: [], after: [] });
    assert.equal(manifest["proj-k8sw01"].packages.after.length, 2);
  });

  it("did so when a node's pods were gone, and before its RKE2: by the kubelets', dpkg's and systemd's own words", async () => {
    for (const node of REBOOTED) {
      const upgraded = await upgradedAt(node);
      const booted = await bootedAt(node);
      assert.ok(began.getTime() < upgraded && upgraded <= booted, `${node}: ${upgraded}, ${booted}`);
      const role = node.includes("sm") ? "server" : "agent";
      // Its RKE2 may be restarted on the new version while it still starts on the old one.
      const started = await restarts(node, role, new Date(booted));
      assert.ok(started.length > 0, `${node}: RKE2 was not started after the reboot`);
      const stopped = (await told(node, "Killing")).filter(({ first }) => first > began.getTime());
      if (role === "agent")
        assert.ok(
          stopped.some(({ first }) => first <= upgraded),
          `${node}: no pod was stopped before`,
        );
    }
  });

  it("touches no patched node when it is run again, not even where a step's words have changed", async () => {
    const before = await identities();
    await configure({ "osPatch.packages": "full", "limits.packageLockSeconds": "11" });
    const { output } = await upWell();
    assert.match(output, /proj-k8sw01-patch.*(updat|replac|creat)/);
    const after = await identities();
    for (const node of NODES) assert.deepEqual(after[node], before[node], node);
  });
});
