/** The commands one after the other in one change's folder, with a stand-in for Pulumi. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import {
  closeSync,
  cpSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import { apply } from "../../report/applyCommand";
import { readChain } from "../../report/chain";
import { planNames } from "../../report/directory";
import type { Run } from "../../report/evidenceSchema";
import { readPlan } from "../../report/files";
import { plan } from "../../report/planCommand";
import { programFiles, projectDirectory } from "../../report/program";
import { writeReport } from "../../report/reportCommand";
import { runbookCommand } from "../../report/runbookCommand";
import { createRun, listRuns, nextRun, readRun, writeRun } from "../../report/runFiles";
import { verify } from "../../report/verify";
import { lab } from "../config/lab";
import { historyEntry, runAt, seenOf, settingsOf, stateOf, TO } from "./fixtures";
import { planFile, StandInPulumi } from "./standInPulumi";

const settings = settingsOf();
const PLAN = { "w1-turn-gate": ["create"], "w1-install": ["create"], w2: ["update"], w3: ["same"] };

describe("report: the commands of one change", function () {
  this.timeout(60_000);
  const folder = mkdtempSync(join(tmpdir(), "commands-test-"));
  const configFile = join(folder, "Pulumi.lab.yaml");
  let directory = "";
  let pulumi: StandInPulumi;
  before(() => {
    pulumi = new StandInPulumi();
  });
  after(() => {
    pulumi.remove();
    rmSync(folder, { recursive: true });
  });

  /** What the operator has in the stack's config. */
  function configure(approval: Record<string, unknown>): void {
    const raw = lab({ rke2Version: TO, changeId: "CR-1", approval });
    const config = Object.entries(raw).map(([key, value]) => [`rke2-upgrade:${key}`, value]);
    writeFileSync(configFile, stringify({ config: Object.fromEntries(config) }));
  }
  beforeEach(() => {
    directory = mkdtempSync(join(folder, "change-"));
    configure({ changeId: "CR-1", approver: "cab" });
    const history = [historyEntry(settings, 0, "failed")];
    pulumi.answer({ plan: PLAN, seen: seenOf(settings), state: stateOf(settings), history, code: 0 });
  });

  /** What a command prints; its failure is thrown. */
  async function said(...commands: (typeof apply | typeof plan)[]): Promise<string> {
    const { log } = console;
    const write = process.stdout.write;
    let text = "";
    console.log = (line: string) => {
      text += `${line}\n`;
    };
    process.stdout.write = () => true;
    try {
      const options = { stack: "lab", configFile, out: directory };
      const ended = await Promise.allSettled(commands.map((command) => command(options)));
      for (const one of ended) if (one.status === "rejected") throw one.reason;
      return text;
    } finally {
      Object.assign(console, { log });
      process.stdout.write = write;
      process.exitCode = 0;
    }
  }

  it("enforces the approved plan first, and after a failure what is left of it", async () => {
    await said(plan);
    pulumi.answer({ code: 1 });
    await said(apply);
    assert.equal(pulumi.enforced(), planFile(PLAN));
    // The gate was made and is asked again, the install is done.
    const left = { ...PLAN, "w1-turn-gate": ["update"], "w1-install": ["same"] };
    pulumi.answer({ plan: left, code: 0 });
    await said(apply);
    assert.equal(pulumi.enforced(), planFile(left));
    assert.equal(readFileSync(join(directory, "run-2.plan.json"), "utf8"), planFile(left));
    assert.ok((await readChain(directory)).some(({ file }) => file === "run-2.plan.json"));
    assert.deepEqual((await verify(directory)).faults, []);
    // More than was approved is refused, whatever has begun.
    for (const more of [
      { ...left, w3: ["update"] },
      { ...left, w4: ["create"] },
      { ...left, w2: ["replace"] },
    ]) {
      pulumi.answer({ plan: more });
      await assert.rejects(said(apply), /nothing was touched.*Pulumi's plan: w\d.*next:/s);
    }
    assert.equal((await listRuns(directory)).length, 2);
  });

  it("goes on with a plan that was made anew after a report", async () => {
    await said(plan);
    await writeReport(directory, { stack: "lab", changeId: "CR-1", asks: { file: configFile, settings } });
    pulumi.answer({ plan: { ...PLAN, w5: ["create"] } });
    await said(plan);
    assert.deepEqual((await verify(directory)).faults, []);
    await said(apply);
  });

  it("takes a signature that was made anew, and none that is another's", async () => {
    const key = (name: string) => {
      execFileSync("ssh-keygen", [
        "-q",
        "-t",
        "ed25519",
        "-N",
        "",
        "-C",
        name,
        "-f",
        join(directory, "..", name),
      ]);
      return readFileSync(join(directory, "..", `${name}.pub`), "utf8").trim();
    };
    configure({
      changeId: "CR-1",
      approver: "cab",
      allowedSigners: [`cab ${key("old")}`, `cab ${key("new")}`],
    });
    await said(plan);
    const file = join(directory, planNames("upgrade").approval);
    const sign = (who: string) => {
      rmSync(`${file}.sig`, { force: true });
      const args = ["-q", "-Y", "sign", "-f", join(directory, "..", who), "-n", "rke2-upgrade", file];
      execFileSync("ssh-keygen", args, { stdio: "ignore" });
    };
    sign("old");
    await said(apply);
    sign("new");
    await said(apply);
    assert.deepEqual((await verify(directory)).faults, []);
    key("stranger");
    sign("stranger");
    await assert.rejects(said(apply), /is no signature of this plan by cab/);
  });

  it("writes no runbook of a way back that the config would refuse", async () => {
    const options = { stack: "lab", configFile, out: directory };
    await assert.rejects(
      runbookCommand({ ...options, back: "reinstall" }),
      /--back reinstall: .*minor changes; allowed: "restore"/,
    );
    assert.deepEqual(readdirSync(directory), []);
    await runbookCommand({ ...options, back: "restore" });
    const file = join(directory, "runbook-back-restore.sh");
    assert.deepEqual(readdirSync(directory).sort(), ["record.jsonl", "runbook-back-restore.sh"]);
    const held = async (harm = "") => {
      writeFileSync(file, `${readFileSync(file, "utf8")}${harm}`);
      return (await verify(directory)).faults;
    };
    assert.deepEqual(await held(), []);
    assert.deepEqual(await held("rm -rf /\n"), ["runbook-back-restore.sh: it was edited"]);
    // Asked for again it is what the program says; with a broken chain it is there all the same.
    await runbookCommand({ ...options, back: "restore" });
    assert.deepEqual(await held(), []);
    writeFileSync(join(directory, "record.jsonl"), "cut sh");
    rmSync(file);
    await runbookCommand({ ...options, back: "restore" });
    assert.ok(readdirSync(directory).includes("runbook-back-restore.sh"));
  });

  it("reports every run of a long history, not its newest page alone", async () => {
    const history = Array.from({ length: 230 }, (_, i) =>
      historyEntry(settings, i * 200, "failed"),
    ).reverse();
    pulumi.answer({ history });
    const { evidence } = await writeReport(directory, { stack: "lab", changeId: "CR-1" });
    assert.equal(evidence.updates.length, 230);
  });

  it("prints the chain's head at the end of a run", async () => {
    await said(plan);
    const text = await said(apply);
    const head = (await readChain(directory)).at(-1)?.hash;
    assert.match(text, new RegExp(`head of the chain: ${head}`));
  });

  it("refuses a program that was edited after the look, and says what was edited while a run went on", async () => {
    // A copy: what is edited here is nobody else's.
    const copy = join(folder, "program");
    for (const file of Object.keys(programFiles())) cpSync(join(projectDirectory, file), join(copy, file));
    symlinkSync(join(projectDirectory, "node_modules"), join(copy, "node_modules"));
    const edit = join(copy, "scripts", "edited.sh");
    const begun = async (): Promise<Run> => {
      const digest = (await readPlan(directory, "upgrade"))?.digest.value;
      const run = await nextRun(directory);
      await createRun(run, runAt(0, { digest, endedAt: undefined, code: undefined, errors: [] }));
      const args = [run.record, directory, "change.plan.json", "lab", configFile, "CR-1"];
      const enforced = ["--require", "ts-node/register/transpile-only", join(copy, "report/enforced.ts")];
      const log = openSync(run.log, "a");
      spawnSync(process.execPath, [...enforced, ...args], { cwd: copy, stdio: ["ignore", log, log] });
      closeSync(log);
      return readRun(run);
    };
    await said(plan);
    writeFileSync(edit, "");
    const refused = await begun();
    assert.equal(refused.code, 1);
    assert.match(
      refused.errors.join(),
      /^nothing was touched.*program: scripts\/edited\.sh: added since.*\nnext: /s,
    );
    rmSync(edit);
    pulumi.answer({ edits: edit });
    const went = await begun();
    pulumi.answer({ edits: "" });
    assert.equal(went.code, 0);
    assert.match(went.errors.join(), /^while it ran, program: scripts\/edited\.sh: added since/);
    assert.match(readFileSync(join(directory, "run-2.log"), "utf8"), /while it ran, program:/);
  });

  it("begins one of two runs that come at once", async () => {
    const run = await nextRun(directory);
    await createRun(run, runAt(0));
    await assert.rejects(createRun(run, runAt(1)), /run 1 has just begun\. next: .*--attach/);
    assert.deepEqual(await readRun(run), runAt(0));
    directory = mkdtempSync(join(folder, "change-"));
    await said(plan);
    await assert.rejects(said(apply, apply), /run 1 (has just begun|is at work)\. next: .*--attach/);
    assert.equal((await listRuns(directory)).length, 1);
  });

  it("tells a run that could not begin by its reason, not as one that was killed", async () => {
    await said(plan);
    const digest = (await readPlan(directory, "upgrade"))?.digest.value;
    const run = await nextRun(directory);
    await writeRun(run, runAt(0, { digest, endedAt: undefined, code: undefined, errors: [] }));
    const enforced = join(__dirname, "../../report/enforced.ts");
    const args = [
      run.record,
      directory,
      "change.plan.json",
      "lab",
      join(directory, "no-config.yaml"),
      "CR-1",
    ];
    assert.throws(() =>
      execFileSync(process.execPath, ["--require", "ts-node/register/transpile-only", enforced, ...args], {
        stdio: "pipe",
      }),
    );
    const { code, endedAt, errors } = await readRun(run);
    assert.deepEqual([code, errors.length], [1, 1]);
    assert.match(errors[0] ?? "", /no-config\.yaml/);
    assert.ok(endedAt);
  });
});
