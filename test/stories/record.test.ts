/**
 * The change record on the real engine: planned, refused while anything is not as it was planned, approved, stopped by a
 * node, carried out although its terminal is lost, reported. The tests are one story and run in order.
 */
import assert from "node:assert/strict";
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "mocha";
import { setFault } from "../../rehearsal/lab/faults";
import { planSchema } from "../../report/planSchema";
import { projectDirectory } from "../../report/program";
import { reportSchema } from "../../report/reportSchema";
import { info, versions } from "../e2e/history";
import { configure, type Ended, killAll, ok, onNode, run, start, up } from "../e2e/operator";
import { printed } from "../e2e/watch";

const FROM = "v1.35.4+rke2r1";
const TO = "v1.36.3+rke2r1";

describe("the change record", function () {
  this.timeout(25 * 60_000);
  this.bail(true);
  const folder = mkdtempSync(join(tmpdir(), "record-story-"));
  const command = (...words: string[]) => [
    ...["node", "--require", "ts-node/register/transpile-only", join(projectDirectory, "report/main.ts")],
    ...words,
  ];
  const change = (name: string, ...words: string[]): Promise<Ended> =>
    run(command(name, "--out", folder, ...words), 20);
  const read = (file: string) => readFileSync(join(folder, file), "utf8");

  /** What apply must say of something that was made different, which is then put back. */
  async function refuses(pattern: RegExp): Promise<void> {
    const { code, output } = await change("apply");
    assert.notEqual(code, 0, output);
    assert.match(output, /nothing was touched/);
    assert.match(output, pattern);
    assert.match(output, /next: /);
  }

  before(async () => {
    const { code, output } = await up();
    assert.equal(code, 0, output);
    await configure({ rke2Version: TO, "limits.soakServerSeconds": "5", "limits.soakAgentSeconds": "5" });
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it("plans: the request in three formats, every check measured, every node from → to", async () => {
    const { code, output } = await change("plan");
    assert.equal(code, 0, output);
    const plan = planSchema.parse(JSON.parse(read("change.json")));
    assert.equal(plan.nodes.length, 7);
    for (const { from, to, seen } of plan.nodes) {
      assert.deepEqual([from, to], [FROM, TO]);
      assert.ok("versionRunning" in seen && seen.versionRunning === FROM);
    }
    assert.ok(plan.findings.length > 60);
    assert.deepEqual(
      plan.findings.filter(({ verdict }) => verdict === "not measured"),
      [],
    );
    for (const file of ["change.md", "change.html"]) assert.ok(read(file).includes(plan.digest.value));
  });

  it("refuses what nobody approved, or who approved another plan", async () => {
    await refuses(/approval\.changeId is not set/);
    await configure({ "approval.changeId": "CR-2026-041", "approval.approver": "cab" });
    await configure({ "approval.digest": `a${"0".repeat(15)}` });
    await refuses(/another plan was approved/);
    const { digest } = planSchema.parse(JSON.parse(read("change.json")));
    await configure({ "approval.digest": digest.value });
  });

  it("refuses a changed script and a changed lockfile", async () => {
    for (const file of ["scripts/cordon.sh", "package-lock.json"]) {
      const path = join(projectDirectory, file);
      const { length } = readFileSync(path);
      appendFileSync(path, "\n");
      try {
        await refuses(new RegExp(`program: ${file}: changed since the plan`));
      } finally {
        truncateSync(path, length);
      }
    }
  });

  it("refuses a changed config", async () => {
    await configure({ "limits.soakAgentSeconds": "6" });
    try {
      await refuses(/config: rke2-upgrade:limits: changed since the plan/);
    } finally {
      await configure({ "limits.soakAgentSeconds": "5" });
    }
  });

  it("refuses where a node does not say any more what it runs", async () => {
    await setFault(["ssh-refused", "proj-k8sw04", "on"]);
    try {
      await refuses(/node proj-k8sw04: runs not measured, ran v1\.35\.4\+rke2r1/);
    } finally {
      await setFault(["ssh-refused", "proj-k8sw04", "off"]);
    }
    assert.deepEqual(new Set(Object.values(await versions())), new Set([FROM]));
  });

  it("refuses where somebody has brought a node to another version by hand", async () => {
    await setFault(["upgraded-by-hand", "proj-k8sw04", TO, "on"]);
    try {
      await refuses(/node proj-k8sw04: runs v1\.36\.3\+rke2r1, ran v1\.35\.4\+rke2r1/);
    } finally {
      await setFault(["upgraded-by-hand", "proj-k8sw04", TO, "off"]);
    }
  });

  it("stops at a node that does not come up, and tells the chain's head", async () => {
    await setFault(["service-fails", "proj-k8sm01", "on"]);
    try {
      const { code, output } = await change("apply");
      assert.notEqual(code, 0, output);
      assert.match(output, /rke2-server\.service does not come up/);
      assert.match(output, /head of the chain: [0-9a-f]{64}/);
    } finally {
      await setFault(["service-fails", "proj-k8sm01", "off"]);
    }
    // Somebody has a look at it: sudo at a terminal.
    await onNode("proj-k8sm01", "script --quiet --command 'sudo id' /dev/null");
  });

  it("goes on by the same approval although its terminal is lost, and shows it again", async () => {
    const running = await start(command("apply", "--out", folder));
    await printed(running, /proj-k8sm02-install.* creat/, 15);
    killAll(running, "SIGKILL");
    const second = await change("apply");
    assert.match(second.output, /run 2 is at work.*--attach/);
    const { code, output } = await change("apply", "--attach");
    assert.equal(code, 0, output);
    assert.match(output, /proj-k8sm02-install/);
    assert.deepEqual(new Set(Object.values(await versions())), new Set([TO]));
  });

  it("has reported it: every step, who, approved by whom, and nothing that was edited", async () => {
    const report = reportSchema.parse(JSON.parse(read("report.json")));
    assert.equal(report.outcome, "upgraded, not accepted");
    assert.deepEqual(
      report.steps.filter(({ outcome }) => outcome === "not done").map(({ name }) => name),
      [],
    );
    for (const { before, after } of report.nodes) assert.deepEqual([before, after], [FROM, TO]);
    const [failed] = report.runs.filter(({ result, enforcedPlan }) => enforcedPlan && result === "failed");
    assert.match(failed?.errors.join() ?? "", /does not come up/);
    const last = report.runs.at(-1);
    assert.ok(last?.enforcedPlan && !last.by.startsWith("not measured"));
    assert.equal(report.approvals[0]?.approvedBy, "cab");
    assert.ok(report.restoreTest.measured);
    // Both runs were watched from end to end: three servers and the virtual IP, none of which was away for good.
    assert.deepEqual(
      report.availability.map(({ run, targets }) => [run, targets.length]),
      [
        [1, 4],
        [2, 4],
      ],
    );
    for (const { targets } of report.availability)
      for (const { target, samples, missing, p99Ms } of targets)
        assert.ok(
          samples - missing > 30 && p99Ms !== undefined,
          `${target}: ${missing} of ${samples} missing`,
        );
    const told = [1, 2].flatMap((run): { kind: string; node?: string }[] =>
      read(`run-${run}.events.jsonl`)
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line)),
    );
    assert.deepEqual(
      told.map(({ kind, node }) => [kind, node]),
      [
        ["start", undefined],
        ["failed", "proj-k8sm01"],
        ["start", undefined],
        ...report.nodes.map(({ name }) => ["nodeDone", name]),
        ["done", undefined],
      ],
    );
    const verified = await change("report", "--verify", folder);
    assert.equal(verified.code, 0, verified.output);
  });

  it("says who had access: the program by its key, the person who came, what was done in Proxmox VE", async () => {
    const { access } = reportSchema.parse(JSON.parse(read("report.json")));
    assert.ok(access);
    const { nodes, proxmox } = await info();
    assert.deepEqual(access.measured.nodes, { of: nodes.length, some: nodes.length });
    assert.equal(access.measured.hosts.some, access.measured.hosts.of);
    for (const { what } of access.missing) assert.match(what, /^requests to the API server/);
    for (const { name } of nodes) {
      const own = access.logins.filter(({ node, how, program }) => node === name && how === "ssh" && program);
      assert.ok(own.length > 0, name);
    }
    const people = access.logins.filter(({ program }) => !program);
    assert.deepEqual(
      people.map(({ node, how, as, command, privileged }) => [node, how, as, command, privileged]),
      [["proj-k8sm01", "sudo", "root", "/usr/bin/id", true]],
    );
    const taken = access.tasks.filter(({ type, program }) => type === "qmsnapshot" && program);
    assert.deepEqual(new Set(taken.map(({ vmId }) => vmId)), new Set(nodes.map(({ vmId }) => vmId)));
    for (const { user } of access.tasks) assert.equal(user, proxmox.tokenId);
  });

  it("reports the same bytes again", async () => {
    const made = () => ["report.json", "report.md", "report.html"].map(read);
    const before = made();
    await change("report");
    assert.deepEqual(made(), before);
  });

  it("holds no secret in any file", async () => {
    const { nodes, proxmox } = await info();
    const key = readFileSync(nodes[0]?.ssh.privateKeyFile ?? "", "utf8").split("\n")[2] ?? "";
    const token = (await onNode("proj-k8sm01", "sudo cat /var/lib/rancher/rke2/server/token")).trim();
    await ok(...command("runbook", "--out", folder, "--back", "restore"));
    for (const file of readdirSync(folder)) {
      for (const secret of [proxmox.tokenSecret, key, token]) {
        assert.ok(secret.length > 20);
        assert.ok(!read(file).includes(secret), file);
      }
    }
  });
});
