/** A run's own session, with a stand-in for the engine that says something, waits to be let go, and fails. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { writeRecords } from "../../report/chain";
import { planFiles } from "../../report/files";
import { follow } from "../../report/follow";
import { programFiles } from "../../report/program";
import { createRun, lives, nextRun, readRun, writeRun } from "../../report/runFiles";
import { begin } from "../../report/session";
import { labFile } from "../config/lab";
import { inputsOf, planned, runAt, settingsOf } from "./fixtures";

describe("report: a run in its own session", () => {
  const settings = settingsOf();
  const plan = planned(settings, { files: programFiles() });
  const directory = mkdtempSync(join(tmpdir(), "session-test-"));
  let path: string | undefined;
  const bin = mkdtempSync(join(tmpdir(), "session-bin-"));
  const go = join(directory, "..", `go-${process.pid}`);
  before(async () => {
    const engine = `#!/bin/sh
echo "$@"; if [ "$1" != up ]; then exit 1; fi
until [ -e ${go} ]; do sleep 0.1; done
printf 'Diagnostics:\\n  x (y):\\n    error: it broke\\n'; exit 7
`;
    writeFileSync(join(bin, "pulumi"), engine, { mode: 0o755 });
    path = process.env.PATH;
    process.env.PATH = `${bin}:${path}`;
    const enforced = {
      what: "Pulumi's plan",
      file: "change.plan.json",
      content: inputsOf(settings).preview.plan,
    };
    await writeRecords(directory, [enforced, ...(await planFiles(plan))]);
  });
  after(() => {
    process.env.PATH = path;
    for (const file of [directory, bin, go]) rmSync(file, { recursive: true, force: true });
  });

  it("outlives a hang-up of who began it, is shown again, and writes down how it ended", async () => {
    const run = await nextRun(directory);
    await writeRun(run, {
      ...runAt(0),
      digest: plan.digest.value,
      endedAt: undefined,
      code: undefined,
      errors: [],
    });
    await begin(run, {
      plan: "change.plan.json",
      stack: "lab",
      directory,
      configFile: labFile,
      changeId: "CR-1",
    });
    assert.ok(await lives(run));
    const pid = Number(readFileSync(run.pid, "utf8"));
    // A session of its own: its ID is its leader's, and a terminal's hang-up goes to the terminal's session alone.
    const session = spawn("ps", ["-o", "sid=", "-p", String(pid)], { stdio: ["ignore", "pipe", "ignore"] });
    const [said] = await once(session.stdout, "data");
    assert.equal(Number(String(said)), pid);

    let shown = "";
    const followed = follow(run, (text) => {
      shown += text;
    });
    const deadline = Date.now() + 30_000;
    while (!shown.includes("--plan=") && Date.now() < deadline) await pause(50);
    assert.match(shown, new RegExp(`^up --yes .*--plan=${directory}/change\\.plan\\.json --stack lab`, "m"));
    writeFileSync(go, "");
    assert.equal(await followed, 7, shown);
    const { code, errors, endedAt } = await readRun(run);
    assert.deepEqual([code, errors], [7, ["x (y): it broke"]]);
    assert.ok(endedAt);
    assert.ok(!(await lives(run)));
    // Who comes later sees all of it.
    let again = "";
    assert.equal(
      await follow(run, (text) => {
        again += text;
      }),
      7,
    );
    assert.equal(again, readFileSync(run.log, "utf8"));
    assert.match(again, /the report could not be written/);
    assert.ok(existsSync(join(directory, "record.jsonl")));
    assert.match(readFileSync(join(directory, "record.jsonl"), "utf8"), /"file":"run-1\.log"/);
  });

  it("shows a run's log without what a node put there for the terminal", async () => {
    const other = mkdtempSync(join(tmpdir(), "follow-test-"));
    const run = await nextRun(other);
    await createRun(run, runAt(0));
    writeFileSync(run.log, "a node said \u001b[1A\u001b[2Kü\n");
    let shown = "";
    await follow(run, (text) => {
      shown += text;
    });
    assert.equal(shown, "a node said [1A[2Kü\n");
    rmSync(other, { recursive: true });
  });

  it("calls no stranger's process its own", async () => {
    const run = await nextRun(directory);
    await writeRun(run, runAt(0));
    writeFileSync(run.pid, `${process.pid}\n`);
    assert.ok(!(await lives(run)));
  });
});
