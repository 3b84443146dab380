import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import {
  BARE_SCRIPTS,
  bareText,
  nodeLine,
  restoreCheckText,
  STEP_SCRIPTS,
  shellWord,
  stepInput,
  stepText,
} from "../../scripts";

const folder = join(__dirname, "../../scripts");

describe("scripts", () => {
  it("are whole: the envelope refuses a step whose last line is missing", () => {
    for (const name of STEP_SCRIPTS) assert.match(stepText(name), /\n# end of step\n$/, name);
  });

  it("parse as bash, shared parts in front", () => {
    for (const name of STEP_SCRIPTS) execFileSync("bash", ["-n"], { input: stepText(name) });
    for (const name of BARE_SCRIPTS) {
      execFileSync("bash", ["-n"], { input: bareText(name) });
    }
    execFileSync("bash", ["-n"], { input: restoreCheckText() });
  });

  it("are sent as they were when the program began, whatever comes into the checkout", () => {
    const copy = mkdtempSync(join(tmpdir(), "checkout-"));
    try {
      cpSync(folder, copy, { recursive: true });
      const here = require(join(copy, "index.ts"));
      const before = here.stepText("restart");
      for (const name of readdirSync(copy))
        if (name.endsWith(".sh")) writeFileSync(join(copy, name), "pulled");
      assert.equal(before, stepText("restart"));
      assert.equal(here.stepText("restart"), before);
      assert.equal(here.bareText("look-os"), bareText("look-os"));
    } finally {
      rmSync(copy, { recursive: true });
    }
  });

  it("fit through the guest agent's channel", () => {
    assert.ok(Buffer.byteLength(restoreCheckText()) < 48 * 1024);
  });

  it("have no file that nobody sends", () => {
    const sent = new Set<string>([
      "envelope",
      "lib",
      ...[
        "lib-api",
        "lib-back",
        "lib-cluster",
        "lib-drained",
        "lib-etcd",
        "lib-fetch",
        "lib-etcd-view",
        "lib-gpu",
        "lib-hold",
        "lib-images",
        "lib-install",
        "lib-job",
        "lib-keys",
        "lib-layout",
        "lib-left",
        "lib-objects",
        "lib-os",
        "lib-rancher",
        "lib-scanner",
        "lib-service",
      ],
      ...["lib-watch", "restore-check"],
      ...BARE_SCRIPTS,
      ...STEP_SCRIPTS,
    ]);
    const files = readdirSync(folder).filter((name) => name.endsWith(".sh"));
    assert.deepEqual(
      files.filter((name) => !sent.has(name.slice(0, -3))),
      [],
    );
  });

  it("count what a step asks of Kubernetes and etcd, in subshells too, and where no envelope clears it away nothing", () => {
    const directory = mkdtempSync(join(tmpdir(), "step-"));
    const body = [
      ...["lib", "lib-api"].map((name) => `. ${folder}/${name}.sh`),
      "curl() { echo '{}'; }; timeout() { echo there; }",
      "etcd_ask /v3/maintenance/status >/dev/null",
      "seen=$(api /readyz; kube 127.0.0.1 get nodes)",
      "result version v1",
    ].join("\n");
    const counted = (file: string) => {
      writeFileSync(join(directory, file), body);
      return JSON.parse(execFileSync("bash", [join(directory, file), "gate-cluster"], { encoding: "utf8" }));
    };
    try {
      assert.equal(counted("step.Ab12Cd34").apiCalls, 3);
      // A step that is run again begins anew.
      assert.equal(counted("step.Ab12Cd34").apiCalls, 3);
      assert.equal(counted("bare").apiCalls, 0);
      assert.deepEqual(readdirSync(directory).toSorted(), ["bare", "step.Ab12Cd34", "step.Ab12Cd34.calls"]);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it("speak of a node by its name in the stack, whatever its hostname is, through the envelope", () => {
    const name = "proj-k8sm01.example.org";
    assert.equal(stepInput("restart", name), `HERE=${name}\n${stepText("restart")}`);
    const directory = mkdtempSync(join(tmpdir(), "step-"));
    const text = ["envelope", "lib"].map((file) => readFileSync(join(folder, `${file}.sh`), "utf8"));
    const run = (step: string, here = "") => {
      const input = [
        // All of systemd that the envelope asks for: what comes after its options.
        'systemd-run() { while [[ $1 == --* ]]; do shift; done; "$@" >"$script.out" 2>"$script.err"; }',
        here,
        ...text,
        step,
        "# end of step\n",
      ].join("\n");
      return spawnSync("bash", ["-s", "--", "gate-node", "uuid", "5"], {
        input: input
          .replaceAll("/var/lib/rke2-upgrade", directory)
          .replaceAll("/run/rke2-upgrade", directory),
        encoding: "utf8",
      });
    };
    try {
      const said = JSON.parse(run("result done true", nodeLine(name)).stdout);
      assert.deepEqual([said.node, said.done], [name, true]);
      const failed = run("fail seen next", nodeLine(name));
      assert.deepEqual([failed.status, failed.stderr], [1, `${name}: gate-node: seen\n  next: next\n`]);
      writeFileSync(join(directory, "owner"), "another since");
      assert.match(run("result", nodeLine(name)).stderr, new RegExp(`^${name}: gate-node: held by another`));
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it("never trace: a secret in a traced script stands in the state in clear", () => {
    for (const name of STEP_SCRIPTS) assert.doesNotMatch(stepText(name), /set -[a-z]*x|xtrace/, name);
  });

  it("quote any word for the shell", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "grapheme" }).filter((text) => !text.includes("\0")),
        (text) => {
          const seen = execFileSync("bash", ["-c", `printf %s ${shellWord(text)}`], { encoding: "utf8" });
          assert.equal(seen, text);
        },
      ),
      { numRuns: 50 },
    );
  });
});
