import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { ControlGroup } from "../../rehearsal/machines/controlGroup";
import { until } from "../../rehearsal/machines/poll";

describe("control group", () => {
  let group: ControlGroup;
  let child: ChildProcess;

  /** A process in the group whose own child has a group further below. */
  beforeEach(async () => {
    group = new ControlGroup("test", `mocha-${process.pid}`);
    await group.create();
    const script =
      'echo $$ >"$0/cgroup.procs"; mkdir "$0/inner"; sleep 600 & echo $! >"$0/inner/cgroup.procs"; wait';
    child = spawn("sh", ["-c", script, group.path], { stdio: "ignore" });
    await until("the inner process", 5, async () => (await group.processes("inner")).length === 1);
  });

  afterEach(async () => {
    await group.remove();
    await new ControlGroup("test").remove();
  });

  it("freezes all processes, those of groups below too, and lets them go on", async () => {
    assert.equal(await group.isFrozen(), false);
    await group.freeze();
    assert.equal(await group.isFrozen(), true);
    // Of a frozen task the kernel accounts no more time; its state stays S or D: ask the group below.
    assert.match(await readFile(`${group.path}/inner/cgroup.events`, "utf8"), /frozen 1/);
    await group.thaw();
    await until("the thaw", 5, async () => !(await group.isFrozen()));
  });

  it("kills what it froze and removes itself with all below", async () => {
    const ended = new Promise<NodeJS.Signals | null>((resolve) =>
      child.on("exit", (_, signal) => resolve(signal)),
    );
    await group.freeze();
    await group.remove();
    assert.equal(await ended, "SIGKILL");
    assert.equal(existsSync(group.path), false);
  });
});
