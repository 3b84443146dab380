/**
 * The OS is patched without a version bump: a node that does not come back from its reboot is put back by its VM, the round
 * goes on, and is accepted once every node was patched. One story in order.
 */
import assert from "node:assert/strict";
import { before, describe, it } from "mocha";
import { setFault } from "../../rehearsal/lab/faults";
import { AGENTS, areWell, askForWayBack, forwardAgain, NODES, OLD, SERVERS, upWell } from "../e2e/back";
import { identities, restarts, snapshots, versions } from "../e2e/history";
import { configure, kubectl, ok, onNode, run, startUp, up } from "../e2e/operator";
import { atRest, bootIds, outdate, packages, rebootedAt, upgradedAt } from "../e2e/os";
import { printed } from "../e2e/watch";

/** Where a patch asks for a reboot, and where it does not. */
const REBOOTED = ["proj-k8sw02"];
const QUIET = ["proj-k8sm01", "proj-k8sw01"];
const LOST = "proj-k8sw02";
const LATER = AGENTS.slice(2);
/** The change's ID, which is the round's. */
const ROUND = "CR-2026-041";

describe("a round of OS patches without a version bump", function () {
  this.timeout(25 * 60_000);
  this.bail(true);

  let atFirst: Record<string, string>;
  let bootsAtFirst: Record<string, string>;
  let began: Date;
  /** Neither rebooted since, nor their RKE2 restarted. Whoever does not answer is not asked. */
  const rested = async (nodes: readonly string[]) => {
    for (const [node, now] of Object.entries(await atRest(nodes))) assert.equal(now, atFirst[node], node);
  };
  /** Who is done with, by the cluster's own objects. */
  const marked = async () => {
    const { items } = await kubectl<{
      items: { metadata: { name: string; annotations: Record<string, string> } }[];
    }>("get", "nodes");
    return items
      .filter(({ metadata }) => metadata.annotations["rke2-upgrade/patched"] === ROUND)
      .map(({ metadata }) => metadata.name);
  };

  before(async () => {
    await upWell();
    await outdate(REBOOTED, QUIET);
    [atFirst, bootsAtFirst] = [await atRest(NODES), await bootIds()];
    began = new Date();
    await configure({
      "limits.soakServerSeconds": "2",
      "limits.soakAgentSeconds": "2",
      "limits.rebootSeconds": "50",
      "restoreTest.enabled": "false",
      "osPatch.packages": "security",
      "osPatch.servers": "true",
      "osPatch.round": ROUND,
    });
  });

  it("is shown as a change of its own: the way back, who would be patched with what, and no RKE2", async () => {
    const said = await ok("pulumi", "preview", "--non-interactive", "--color=never");
    assert.match(said, new RegExp(`${ROUND}: OS patches \\(security\\), RKE2 stays on v1\\.35\\.4\\+rke2r1`));
    assert.match(
      said,
      /ok {2}proj-k8sw01: OS packages \(security\): 2 to upgrade .*rehearsal-base 1\.0 → 1\.1/,
    );
    assert.match(said, /VM snapshots .* of every node/);
    assert.match(said, /proj-k8sw04: upgrade OS packages/);
    assert.doesNotMatch(said, /: install v|FAIL {2}/);
  });

  it("stops at an agent that does not come back, later agents untouched, and offers its VM", async () => {
    const running = await startUp();
    // Once its snapshot is taken: what goes back is well.
    await printed(running, /proj-k8sm01-turn-gate.* creat/, 10);
    await setFault(["no-return", LOST, "on"]);
    const { code, output } = await running.ended;
    assert.notEqual(code, 0, output);
    assert.match(
      output,
      /proj-k8sw02: reboot: does not answer over SSH 50 s after .*\n\s*next: .*goBack\.strategy' rollback; .*goBack\.nodes\[0\]' proj-k8sw02/,
    );
    assert.deepEqual((await marked()).sort(), [...SERVERS, "proj-k8sw01"].sort());
    await rested(LATER);
  });

  it("is not accepted half-way, whatever the versions say", async () => {
    assert.deepEqual([...new Set(Object.values(await versions()))], [OLD]);
    await configure({ "osPatch.acceptedRound": ROUND });
    const kept = await snapshots();
    for (const command of ["preview", "up"]) {
      const words = command === "up" ? ["--yes", "--skip-preview"] : [];
      const { code, output } = await run(["pulumi", command, ...words, "--non-interactive", "--color=never"]);
      assert.notEqual(code, 0, output);
      assert.match(
        output,
        /not patched in CR-2026-041, or still in their turn: proj-k8sw02, proj-k8sw03, proj-k8sw04\. Nothing was let go/,
      );
    }
    assert.deepEqual(await snapshots(), kept);
    await ok("pulumi", "config", "rm", "--path", "rke2-upgrade:osPatch.acceptedRound");
  });

  it("has the lost agent's VM put back, its packages with it, and no other node touched", async () => {
    await askForWayBack("rollback", [LOST]);
    await upWell();
    assert.ok((await packages(LOST)).includes("rehearsal-base=1.0"));
    assert.ok(!(await marked()).includes(LOST));
    await rested([...SERVERS, "proj-k8sw01", ...LATER]);
  });

  it("goes on from there to the end: that agent is patched in a turn of its own, and so are the others", async () => {
    await forwardAgain();
    await upWell();
    assert.deepEqual((await marked()).sort(), [...NODES].sort());
    for (const node of [...REBOOTED, ...QUIET])
      assert.ok((await packages(node)).includes("rehearsal-base=1.1"), node);
    const boots = await bootIds();
    assert.deepEqual(
      NODES.filter((node) => boots[node] !== bootsAtFirst[node]),
      REBOOTED,
    );
    // RKE2 was not restarted where nothing asked for a reboot.
    await rested([...SERVERS, "proj-k8sw01", ...LATER]);
    const { nodes } = { nodes: JSON.parse(await ok("pulumi", "stack", "output", "manifest", "--json")) };
    assert.deepEqual(nodes["proj-k8sw01"].packages.after, [
      "linux-image-rehearsal=1.1",
      "rehearsal-base=1.1",
    ]);
  });

  it("went node by node, servers first, by dpkg's, the kubelets' and systemd's own words", async () => {
    const [server, quiet, agent] = await Promise.all(["proj-k8sm01", "proj-k8sw01", LOST].map(upgradedAt));
    assert.ok(server && quiet && agent && began.getTime() < server && server < quiet && quiet < agent);
    for (const node of REBOOTED) {
      const [upgraded, rebooted] = [await upgradedAt(node), await rebootedAt(node)];
      assert.ok(upgraded <= rebooted, `${node}: ${upgraded}, ${rebooted}`);
    }
    assert.deepEqual(await restarts("proj-k8sm02", "server", began), []);
  });

  it("touches no patched node when it is run again, not even where a step's words have changed", async () => {
    const before = await identities();
    await configure({ "limits.packageLockSeconds": "11", "limits.gateSeconds": "121" });
    const { output } = await upWell();
    assert.match(output, /proj-k8sw01-patch.*(updat|replac|creat)/);
    const after = await identities();
    for (const node of NODES) assert.deepEqual(after[node], before[node], node);
  });

  it("lets its way back go once it is accepted, and cannot be taken up again", async () => {
    await configure({ "osPatch.acceptedRound": ROUND });
    await upWell();
    assert.deepEqual(await snapshots(), []);
    await areWell(() => OLD);
    assert.equal((await onNode(LOST, "cat /var/lib/rke2-upgrade/owner 2>/dev/null || true")).trim(), "");
    await ok("pulumi", "config", "rm", "--path", "rke2-upgrade:osPatch.acceptedRound");
    const { code, output } = await up();
    assert.notEqual(code, 0, output);
    assert.match(output, /the OS patches CR-2026-041 were accepted, and their way back is let go/);
  });
});
