import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { projectDirectory } from "../../rehearsal/machines/paths";

/** Each would end at once if it came past the lock, but for the last. */
const NEEDING_THE_LAB = [
  ["rehearse", "--stack-file", "/no/such/file"],
  ["campaign", "no-such-scenario"],
  ["test", "no-such-phase", "e2e"],
  ["test", "no-such-phase", "stories"],
  ["test", "no-such-phase", "waves"],
  ["test"],
];

/** The way in, as npm calls it; the lab that it is about is none that is there. */
function run(...words: string[]): { status: number | null; told: string } {
  const { status, stderr } = spawnSync("bash", [join(projectDirectory, "rehearsal/run.sh"), ...words], {
    encoding: "utf8",
    timeout: 20_000,
    env: { ...process.env, REHEARSAL_DIR: `/tmp/rehearsal-of-test-${process.pid}` },
  });
  return { status, told: stderr };
}

describe("rehearsal/run.sh", () => {
  it("lets nobody else at a lab that a rehearsal or a test has", async () => {
    const lock = `/run/lock/rehearsal-of-test-${process.pid}.lock`;
    const holder = spawn("flock", [lock, "sh", "-c", "echo held; exec cat"], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    await once(holder.stdout, "data");
    try {
      for (const words of NEEDING_THE_LAB) {
        const { status, told } = run(...words);
        assert.equal(status, 1, words.join(" "));
        assert.match(told, /another rehearsal or test has the lab: wait for its end/);
      }
      for (const words of [
        ["test", "no-such-phase"],
        ["rehearse", "--help"],
      ]) {
        const { told } = run(...words);
        assert.doesNotMatch(told, /has the lab/, words.join(" "));
      }
    } finally {
      holder.stdin.end();
      await once(holder, "close");
      spawnSync("rm", ["-f", lock]);
    }
  });
});
