/**
 * The generated runbook against machines: the engine is gone for good in the middle of an agent's turn, and an operator
 * with nothing but bash, ssh, curl and age goes on to the end; from the same moment, another goes back with the etcd
 * snapshot. Judged from outside, and by the program, which takes over and finds its work done.
 */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "mocha";
import { operator } from "../../rehearsal/lab/operator";
import { projectDirectory } from "../../report/program";
import * as back from "../e2e/back";
import { info, restarts, snapshots } from "../e2e/history";
import { configure, ok, run } from "../e2e/operator";

const { NEW, NODES, OLD, SERVERS } = back;
/** A run by hand of all that is left takes as long as the program's; this is twice that. */
const BY_HAND_MINUTES = 15;

describe("the runbook, by hand", function () {
  this.timeout(25 * 60_000);
  this.bail(true);
  const folder = mkdtempSync(join(tmpdir(), "runbook-story-"));
  const token = join(folder, "token");

  const make = (...words: string[]) =>
    ok(
      ...["node", "--require", "ts-node/register/transpile-only", join(projectDirectory, "report/main.ts")],
      ...["runbook", "--out", folder, ...words],
    );

  /** As docs/record.md has it, but for the questions before every step. */
  async function byHand(file: string): Promise<string> {
    const { code, output } = await run(["bash", join(folder, file)], BY_HAND_MINUTES, {
      YES: "1",
      SSH_KEY: operator.privateKey,
      PROXMOX_TOKEN_FILE: token,
      AGE_IDENTITY: operator.backupKey,
    });
    assert.equal(code, 0, output);
    return output;
  }

  /** What Kubernetes was started anew since. */
  async function restartedSince(since: Date): Promise<string[]> {
    const unit = (node: string) => (SERVERS.some((server) => server === node) ? "server" : "agent");
    const found = await Promise.all(
      NODES.map(async (node) => ((await restarts(node, unit(node), since)).length > 0 ? [node] : [])),
    );
    return found.flat();
  }

  before(async () => {
    const { proxmox } = await info();
    writeFileSync(token, `${proxmox.tokenId}=${proxmox.tokenSecret}\n`, { mode: 0o600 });
    await configure({ "limits.soakServerSeconds": "5", "limits.soakAgentSeconds": "5" });
    await back.upWell();
    await back.write("before");
    await configure({ rke2Version: NEW });
    await back.killedAt(/proj-k8sw01-restart creating/);
    await back.checkpoint("runbook-half");
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it("goes on to the end, servers untouched, and pulumi up finds its work done", async () => {
    const since = new Date();
    assert.match(await make(), /runbook\.sh: \d+ steps left/);
    const said = await byHand("runbook.sh");
    assert.match(said, /Done: CR-2026-041, v1\.35\.4\+rke2r1 → v1\.36\.3\+rke2r1/);
    await back.areWell(() => NEW);
    assert.deepEqual(
      (await restartedSince(since)).filter((node) => SERVERS.some((server) => server === node)),
      [],
    );
    const taken = new Date();
    await back.upWell();
    assert.deepEqual(await restartedSince(taken), []);
    await configure({ acceptedVersion: NEW });
    await back.upWell();
    assert.deepEqual(await snapshots(), []);
  });

  it("goes back with the etcd snapshot, and pulumi up proves and settles it", async () => {
    await back.from("runbook-half");
    await back.write("after");
    const kept = await back.read("before");
    await make("--back", "restore");
    await byHand("runbook-back-restore.sh");
    await back.areWell(() => OLD);
    await back.isOneEtcd();
    assert.deepEqual(await back.read("before"), kept);
    assert.equal(await back.read("after"), undefined);
    const taken = new Date();
    await back.askForWayBack("restore");
    await back.upWell();
    assert.deepEqual(await restartedSince(taken), []);
    await back.isOneEtcd();
    await back.forwardAgain();
    await configure({ rke2Version: OLD });
    await back.upWell();
    assert.deepEqual(await snapshots(), []);
  });
});
