/** The best-effort drain of a way back: back-drain.sh itself in bash, with a kubectl that writes down what it is asked. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { drainFirst } from "../../components/recovery/steps";
import { settings } from "../observe/facts";

const scripts = join(__dirname, "../../scripts");

const KUBECTL = `#!/usr/bin/env bash
cd "\${0%/*}/.."
echo "$*" >>asked
case " $* " in *" get node "*) echo "||v1" ;; esac
`;

describe("scripts/back-drain.sh", () => {
  let state: string;
  beforeEach(() => {
    state = mkdtempSync(join(tmpdir(), "back-drain-"));
    mkdirSync(join(state, "bin"));
    writeFileSync(join(state, "bin/kubectl"), KUBECTL, { mode: 0o755 });
  });
  afterEach(() => rmSync(state, { recursive: true, force: true }));

  /** @returns what kubectl was asked, and for how long it may take each time, seconds */
  const drain = (...args: (string | number)[]) => {
    for (const name of ["asked", "bounds"]) writeFileSync(join(state, name), "");
    const { status, stdout, stderr } = spawnSync("bash", ["-s", "back-drain", ...args.map(String)], {
      input: `${["lib", "lib-hold", "lib-back", "lib-api", "lib-watch", "lib-cluster"].map((name) => `source ${scripts}/${name}.sh`).join("\n")}
STATE=${state} RKE2_DATA=${state}
timeout() { echo "$1" >>${state}/bounds; shift; "$@"; }
source ${scripts}/back-drain.sh`,
      encoding: "utf8",
    });
    assert.equal(status, 0, stderr);
    const lines = (name: string) => readFileSync(join(state, name), "utf8").split("\n").filter(Boolean);
    return { stdout, asked: lines("asked"), bounds: lines("bounds").map(Number) };
  };
  const drained = (asked: readonly string[]) =>
    asked.flatMap((line) => / drain (\S+) /.exec(line)?.[1] ?? []).toSorted();

  it("drains once an attempt: another grace or a consent that is given after empties no node that is back", () => {
    assert.deepEqual(drained(drain(1, "CR-1", "", 30, "", "", "w1", "w2").asked), ["w1", "w2"]);
    const again = drain(1, "CR-1", "", 60, "yes", "", "w1", "w2");
    assert.deepEqual(again.asked, []);
    assert.match(again.stdout, /w1: had its drain on this way back/);
    assert.deepEqual(drained(drain(1, "CR-1", "", 60, "yes", "", "w1", "w3").asked), ["w3"]);
    assert.deepEqual(drained(drain(2, "CR-1", "", 30, "", "", "w1").asked), ["w1"]);
  });

  it("counts as done where the API is dead: nobody drains what has come back since", () => {
    writeFileSync(join(state, "bin/kubectl"), "#!/bin/sh\nexit 1\n", { mode: 0o755 });
    assert.match(drain(1, "CR-1", "", 30, "", "", "w1").stdout, /does not answer: not drained/);
    writeFileSync(join(state, "bin/kubectl"), KUBECTL, { mode: 0o755 });
    assert.deepEqual(drain(1, "CR-1", "", 30, "", "", "w1").asked, []);
  }).timeout(30_000);

  it("ends before its limit, however slow the API server is", () => {
    const [server] = settings.servers;
    assert.ok(server);
    const { args, limitSeconds } = drainFirst(settings, server, [server]);
    const { bounds } = drain(1, ...args);
    // Ready, the node, its mark, its cordon, the drain; the first is asked anew for ten seconds.
    assert.equal(bounds.length, 5);
    const longest = bounds.reduce((sum, seconds) => sum + seconds, 10);
    assert.ok(longest + 15 <= limitSeconds, `${longest} s of ${limitSeconds} s`);
  });
});
