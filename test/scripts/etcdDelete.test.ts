/** What deletes etcd snapshots on a server: the scripts themselves in bash, with an rke2 that the test plays. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const scripts = join(__dirname, "../../scripts");

describe("scripts: an etcd snapshot that is deleted", () => {
  let state: string;
  beforeEach(() => {
    state = mkdtempSync(join(tmpdir(), "delete-"));
    mkdirSync(join(state, "restore-point-CR-1"));
    writeFileSync(join(state, "restore-point-CR-1/point"), `${state}/rke2point-CR-1-m1-17\tsum\t5\n`);
    writeFileSync(join(state, "rke2point-CR-1-m1-17"), "");
    writeFileSync(
      join(state, "rke2"),
      `#!/bin/bash\n[ ! -e ${state}/refuses ] || { echo refused >&2; exit 1; }\necho "$*" >>${state}/said\n`,
    );
    chmodSync(join(state, "rke2"), 0o755);
  });
  afterEach(() => rmSync(state, { recursive: true }));

  /** sudo's path is not where RKE2 is. @param binary where it is; "" nowhere */
  const run = (script: string, argument: string, binary = `echo ${state}/rke2`) =>
    spawnSync("bash", ["-s", "--", script, argument], {
      input: `. ${scripts}/lib.sh
STATE=${state}
rke2_binary() { ${binary}; }
. ${scripts}/${script}.sh`,
      encoding: "utf8",
    });
  const said = () => readFileSync(join(state, "said"), "utf8");
  const point = () => existsSync(join(state, "restore-point-CR-1"));

  it("is found wherever RKE2 is, by its exact name", () => {
    assert.deepEqual(run("etcd-delete", "one").stderr, "");
    assert.equal(said(), "etcd-snapshot delete one\n");
  });

  it("that stays says why, and what to do", () => {
    writeFileSync(join(state, "refuses"), "");
    for (const [script, argument] of [
      ["etcd-delete", "one"],
      ["restore-point-release", "CR-1"],
    ] as const) {
      const { status, stderr } = run(script, argument);
      assert.equal(status, 1);
      assert.match(stderr, /etcd snapshot .* was not deleted: refused\n {2}next: /);
      assert.match(run(script, argument, "false").stderr, /was not deleted: [\s\S]* {2}next: /);
    }
    assert.ok(point());
  });

  it("of a restore point goes with the point, once, and where none was made that is all", () => {
    assert.equal(run("restore-point-release", "CR-1").status, 0);
    assert.equal(said(), "etcd-snapshot delete rke2point-CR-1-m1-17\n");
    assert.equal(point(), false);
    assert.equal(run("restore-point-release", "CR-1").status, 0);
    assert.equal(run("restore-point-release", "CR-2").status, 0);
    assert.equal(said().split("\n").length, 2);
  });

  it("by one that was killed before it was done is not asked for again", () => {
    rmSync(join(state, "rke2point-CR-1-m1-17"));
    writeFileSync(join(state, "refuses"), "");
    assert.equal(run("restore-point-release", "CR-1").status, 0);
    assert.equal(point(), false);
  });
});
