/** What was edited, or never chained, is no source of the next record; and a kill leaves a folder that goes on. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { stringify } from "yaml";
import { apply } from "../../report/applyCommand";
import { latest, readChain, writeRecords } from "../../report/chain";
import { fileFaults } from "../../report/fileFaults";
import { LOCK_FILE } from "../../report/lockFile";
import { plan } from "../../report/planCommand";
import { report } from "../../report/reportCommand";
import { createRun, nextRun } from "../../report/runFiles";
import { verify } from "../../report/verify";
import { lab } from "../config/lab";
import { historyEntry, runAt, seenOf, settingsOf, stateOf, TO } from "./fixtures";
import { StandInPulumi } from "./standInPulumi";

const settings = settingsOf();
/** A process that is over. */
const DEAD = 4_000_000;

describe("report: what a record is made from", function () {
  this.timeout(60_000);
  const folder = mkdtempSync(join(tmpdir(), "take-in-test-"));
  const configFile = join(folder, "Pulumi.lab.yaml");
  let directory = "";
  let pulumi: StandInPulumi;
  before(() => {
    pulumi = new StandInPulumi();
    const raw = lab({ rke2Version: TO, changeId: "CR-1", approval: { changeId: "CR-1", approver: "cab" } });
    const config = Object.entries(raw).map(([key, value]) => [`rke2-upgrade:${key}`, value]);
    writeFileSync(configFile, stringify({ config: Object.fromEntries(config) }));
    const history = [historyEntry(settings, 0, "failed"), historyEntry(settings, 200, "succeeded")];
    const state = stateOf(settings);
    pulumi.answer({ plan: { w1: ["create"] }, seen: seenOf(settings), state, history, code: 0 });
  });
  after(() => {
    pulumi.remove();
    rmSync(folder, { recursive: true });
  });
  beforeEach(() => {
    directory = mkdtempSync(join(folder, "change-"));
  });

  async function quietly(command: typeof report): Promise<void> {
    const { log } = console;
    console.log = () => {};
    try {
      await command({ stack: "lab", configFile, out: directory, access: false });
    } finally {
      Object.assign(console, { log });
    }
  }
  const path = (file: string) => join(directory, file);
  const text = (file: string) => readFileSync(path(file), "utf8");
  const edit = (file: string, from: string, to: string) => {
    assert.ok(text(file).includes(from), `${from} in ${file}`);
    writeFileSync(path(file), text(file).replace(from, to));
  };
  const whole = async () =>
    assert.deepEqual(await verify(directory), { faults: [], notes: [], afterHead: [] });
  const chained = async () => (await readChain(directory)).map(({ file }) => file);
  /** A run that `apply` began and that was killed, with what it had written. */
  async function killedRun(): Promise<ReturnType<typeof nextRun>> {
    const run = await nextRun(directory);
    await createRun(run, runAt(-1, { endedAt: undefined, code: undefined, errors: [] }));
    writeFileSync(run.pid, `${DEAD}\n`);
    writeFileSync(run.log, "a line\ncut sh");
    writeFileSync(run.events, "");
    return run;
  }

  it("is no evidence that was edited: neither report, plan nor apply launders it", async () => {
    await quietly(plan);
    await quietly(report);
    const before = await readChain(directory);
    edit("evidence.json", '"result": "failed"', '"result": "succeeded"');
    for (const command of [report, plan, apply] as (typeof report)[]) {
      await assert.rejects(
        quietly(command),
        /nothing was written.*evidence\.json: it was edited.*next: .*--verify/s,
      );
      assert.deepEqual(await readChain(directory), before);
    }
    assert.deepEqual((await verify(directory)).faults, ["evidence.json: it was edited"]);
    edit("evidence.json", '"result": "succeeded"', '"result": "failed"');
    await quietly(report);
    await whole();
  });

  it("is no evidence that is gone, nor a run that nobody began", async () => {
    await quietly(report);
    const evidence = text("evidence.json");
    rmSync(path("evidence.json"));
    await assert.rejects(quietly(report), /evidence\.json: it is gone/);
    writeFileSync(path("evidence.json"), evidence);
    writeFileSync(path("run-1.json"), JSON.stringify(runAt(0)));
    await assert.rejects(quietly(report), /run-1\.json: it is not in the chain/);
    assert.deepEqual((await verify(directory)).faults, ["run-1.json: it is not in the chain"]);
  });

  it("is a run whose record the chain has from its beginning", async () => {
    const run = await killedRun();
    assert.deepEqual(await chained(), ["run-1.json"]);
    edit("run-1.json", "alice at ops1", "mallory at home");
    await assert.rejects(quietly(report), /run-1\.json: it was edited/);
    assert.ok(existsSync(run.record));
  });

  it("takes in what a killed run has left, and nothing that is put there later", async () => {
    await killedRun();
    const { faults, notes } = await verify(directory);
    assert.deepEqual(faults, []);
    assert.match(notes.join("\n"), /run-1\.log: not in the chain yet/);
    await quietly(report);
    for (const file of ["run-1.log", "run-1.events.jsonl"]) assert.ok((await chained()).includes(file), file);
    // Its engine may be at work still: more may come, and joins the chain with the next report.
    appendFileSync(path("run-1.log"), "ort, and more\n");
    assert.deepEqual(await verify(directory), {
      faults: [],
      afterHead: [],
      notes: ["run-1.log: 1 lines are not in the chain yet: npm run change -- report"],
    });
    await quietly(report);
    await whole();
    edit("run-1.log", "a line", "no line");
    await assert.rejects(quietly(report), /run-1\.log: it was edited/);
    edit("run-1.log", "no line", "a line");
    writeFileSync(path("run-1.watch.jsonl"), "");
    await assert.rejects(quietly(report), /run-1\.watch\.jsonl: it is not in the chain/);
  });

  it("has the leftovers join before the plan is applied again", async () => {
    await quietly(plan);
    await killedRun();
    await quietly(apply);
    assert.ok((await chained()).includes("run-1.log"));
    assert.deepEqual((await verify(directory)).faults, []);
  });

  it("is not held up by a kill while it was written: all of it stands there, or none", async () => {
    const writer = `
      const { writeRecords } = require("./report/chain");
      (async () => {
        for (let n = 0; ; n++) {
          const content = String(n).padEnd(200000, "x");
          const files = ["evidence.json", "access.json", "run-1.json"].map((file) => ({ what: "w", file, content }));
          await writeRecords(process.argv[1], files);
          process.stdout.write("x");
        }
      })();`;
    for (let kill = 0; kill < 6; kill++) {
      const args = ["--require", "ts-node/register/transpile-only", "--eval", writer, directory];
      const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
      const closed = once(child, "close");
      await once(child.stdout, "data");
      await pause(kill * 3);
      child.kill("SIGKILL");
      await closed;
      // Whoever writes next ends it, and waits for no dead writer's lock.
      await writeRecords(directory, []);
      assert.ok(!existsSync(path(LOCK_FILE)));
      assert.deepEqual(await fileFaults(directory, latest(await readChain(directory))), []);
      assert.equal(text("access.json"), text("evidence.json"));
    }
  });

  it("has two who write at once go on one after the other", async () => {
    const write = (file: string) => writeRecords(directory, [{ what: "w", file, content: file }]);
    const files = Array.from({ length: 8 }, (_, i) => `run-${i}.json`);
    await Promise.all(files.map(write));
    assert.deepEqual((await chained()).sort(), files);
    await whole();
  });
});
