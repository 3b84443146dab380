/** envelope.sh in bash, before a systemd that the test plays: whose steps may run on a node. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const scripts = join(__dirname, "../../scripts");

/** @param owner what the node's file says; undefined where there is none */
function run(step: string, owner?: string) {
  const folder = mkdtempSync(join(tmpdir(), "envelope-"));
  try {
    if (owner !== undefined) writeFileSync(join(folder, "owner"), owner);
    const envelope = readFileSync(join(scripts, "envelope.sh"), "utf8")
      .replace("state=/var/lib/rke2-upgrade", `state=${folder}`)
      .replace("run=/run/rke2-upgrade", `run=${folder}/run`);
    const { status, stderr } = spawnSync("bash", ["-s", "--", step, "mine", "9"], {
      input: `systemd-run() { :; }\n${envelope}\n# end of step\n`,
      encoding: "utf8",
    });
    return { status, stderr };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe("scripts/envelope.sh", () => {
  it("runs the steps of the change that holds the node, and none of another", () => {
    assert.equal(run("restart", "mine CR-1 by a@b").status, 0);
    assert.equal(run("drain@w1", "mine CR-1 by a@b").status, 0);
    const { status, stderr } = run("verify-node", "other CR-2 by c@d");
    assert.equal(status, 75);
    assert.match(stderr, /held by another change: other CR-2/);
  });

  it("takes nothing down where no change holds the node any more", () => {
    for (const step of ["cordon@w1", "drain@w1", "patch", "reboot", "restart"]) {
      const { status, stderr } = run(step);
      assert.equal(status, 75, step);
      assert.match(stderr, /no change holds this node.*\n {2}next: /, step);
    }
    // Ways back hold what answers, adopting and operators alone no node.
    for (const step of ["back-start", "install-release", "verify-node", "operator-ready"])
      assert.equal(run(step).status, 0, step);
  });
});
