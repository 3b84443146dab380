import assert from "node:assert/strict";
import { evidenceOf, joined, lastObject } from "../../report/evidence";
import type { Evidence } from "../../report/evidenceSchema";
import { reportFiles } from "../../report/files";
import { reportDocument } from "../../report/render/reportDocument";
import { reportRecord } from "../../report/report";
import { reportSchema } from "../../report/reportSchema";
import { exportSchema, historySchema, type StateResource } from "../../report/state";
import { stepsOf } from "../../report/steps";
import { accessOf, FROM, historyEntry, planned, runAt, settingsOf, stateOf, TO } from "./fixtures";

const settings = settingsOf();
const accepted = settingsOf({ acceptedVersion: TO });
const plan = planned(settings);

const evidence = (more: Partial<Parameters<typeof evidenceOf>[0]> = {}): Evidence =>
  evidenceOf({
    changeId: "CR-1",
    stack: "lab",
    resources: stateOf(settings),
    history: [historyEntry(settings, 200, "succeeded"), historyEntry(settings, 0, "failed")],
    runs: [],
    ...more,
  });

describe("report/evidence", () => {
  it("takes what is named and nothing else: no secret, no script, no connection", () => {
    const text = JSON.stringify(evidence());
    for (const never of [
      "ciphertext",
      "4dabf18193072939515e22adb298388d",
      "#!/usr/bin/env bash",
      "__provider",
      "b099f419",
    ])
      assert.ok(!text.includes(never), never);
  });

  it("is of one change: a stack at another one is refused, other changes' runs are left out", () => {
    assert.throws(() => evidence({ changeId: "CR-2" }), /at change CR-1, not CR-2.*next:/s);
    const other = settingsOf({ changeId: "CR-0" });
    assert.equal(evidence({ history: [historyEntry(other, 0, "succeeded")] }).updates.length, 0);
  });

  it("keeps what acceptance takes out of the state, and says that it is gone from there", () => {
    const before = evidence();
    const now = evidence({ resources: stateOf(accepted, { count: 0 }) });
    const both = joined(before, now);
    assert.equal(both.resources.length, before.resources.length);
    assert.ok(both.resources.every(({ inState }) => !inState));
    assert.deepEqual(joined(both, now), both);
  });

  it("tells what a Helm release has become, and none of its values", () => {
    const type = "kubernetes:helm.sh/v3:Release";
    const release = {
      ...{ urn: `urn:pulumi:lab::rke2-upgrade::${type}::operator-cert-release`, type, custom: true },
      modified: historyEntry(settings, 20, "failed").startTime,
      outputs: {
        values: { password: "never" },
        status: { name: "cert", version: "v1.2.3", revision: 4, status: "deployed" },
      },
    };
    const { resources } = evidence({ resources: [...stateOf(settings), release] });
    const told = resources.find(({ kind }) => kind === "HelmRelease");
    assert.deepEqual(told?.result, { name: "cert", version: "v1.2.3", revision: 4, status: "deployed" });
    assert.ok(!JSON.stringify(resources).includes("never"));
  });

  it("takes nothing that an earlier change has left in the cluster", () => {
    const of = (type: string, seconds: number, outputs: Record<string, unknown> = {}): StateResource => ({
      ...{ urn: `urn:pulumi:lab::rke2-upgrade::${type}::${type}-${seconds}`, type, custom: true, outputs },
      modified: historyEntry(settings, seconds, "failed").startTime,
    });
    const kinds = ["kubernetes:helm.sh/v3:Release", "kubernetes:batch/v1:Job"];
    const manifest = (changeId: string) => of("kubernetes:core/v1:ConfigMap", 20, { data: { changeId } });
    const left = (...resources: StateResource[]) =>
      evidence({ resources: [...stateOf(settings, { count: 0 }), ...resources] }).resources.map(
        ({ kind }) => kind,
      );
    assert.deepEqual(left(manifest("CR-0"), ...kinds.map((type) => of(type, -1))), []);
    assert.deepEqual(left(manifest("CR-1"), ...kinds.map((type) => of(type, 20))).sort(), [
      "ConfigMap",
      "HelmRelease",
      "Job",
    ]);
  });

  it("takes no snapshot and no backup for taken that a change has gone back before", () => {
    const none: Record<string, object> = {
      VmSnapshot: { takenAt: "", upid: "", crashConsistent: true, seconds: 0 },
      EtcdBackup: { file: "", sha256: "", bytes: 0, takenAt: "", server: "", version: "" },
    };
    const resources = stateOf(settings).map((one) => ({
      ...one,
      outputs: { ...one.outputs, ...none[one.type.split(":").at(-1) ?? ""] },
    }));
    const { snapshots, backups, controls, steps } = reportRecord(
      evidence({ resources }),
      plan,
      "e".repeat(64),
    );
    assert.deepEqual([snapshots, backups], [[], []]);
    assert.ok(
      controls.some(({ statements }) =>
        statements.some(({ text, measured }) => text.startsWith("0 etcd snapshot") && !measured),
      ),
    );
    assert.equal(steps.find(({ name }) => name.endsWith("-vm-snapshot"))?.outcome, "not done");
  });

  it("makes a report of what says no time that can be read", () => {
    const [step] = stepsOf(
      [{ name: "a", kind: "Command", inState: true, result: { startedAt: "soon", seconds: 3 } }],
      undefined,
    );
    assert.deepEqual([step?.startedAt, step?.endedAt], [undefined, undefined]);
  });

  it("reads a step's last line, whatever else was said", () => {
    assert.deepEqual(lastObject('said\n{"step":"a","seconds":1.5,"deep":{"x":1}}\n'), {
      step: "a",
      seconds: 1.5,
    });
    assert.equal(lastObject("cut sho"), undefined);
    assert.equal(lastObject(""), undefined);
  });
});

describe("report/report: planned against what happened", () => {
  it("has every step with its time beside the expected one, and the ones that were not done", () => {
    const report = reportSchema.parse(
      JSON.parse(
        JSON.stringify(
          reportRecord(evidence({ resources: stateOf(settings, { count: 45 }) }), plan, "e".repeat(64)),
        ),
      ),
    );
    const restart = report.steps.find(({ name }) => name === "proj-k8sm01-restart");
    assert.deepEqual([restart?.seconds, restart?.expectedSeconds], [9.5, 42]);
    assert.equal(report.steps.find(({ name }) => name === "proj-k8sw04-uncordon")?.outcome, "not done");
    const names = report.steps.map(({ name }) => name).filter((name) => name !== "smoke-test");
    assert.equal(new Set(names).size, names.length);
    for (const { id } of plan.steps)
      if (id !== "change")
        assert.ok(
          report.steps.some(({ name }) => name === id),
          id,
        );
  });

  it("tells failures and resumes with their times, who ran them, and what they said where that was kept", () => {
    const [failed, resumed] = reportRecord(evidence(), plan, "e".repeat(64)).runs;
    assert.deepEqual([failed?.result, resumed?.result], ["failed", "succeeded"]);
    assert.match(failed?.by ?? "", /alice at ops1, logged in from 10\.0\.0\.9|sudo by alice/);
    assert.match(failed?.errors[0] ?? "", /^not measured/);
    const kept = reportRecord(evidence({ runs: [runAt(-1)] }), plan, "e".repeat(64)).runs[0];
    assert.deepEqual(kept?.errors, ["proj-k8sm01: restart: it did not come up"]);
  });

  it("gives a plain pulumi up to nobody's approval, after a run that was killed least of all", () => {
    const enforced = historyEntry(settings, 200, "succeeded");
    enforced.environment.updatePlan = "true";
    const killed = runAt(-1, { endedAt: undefined, code: undefined, errors: [], by: "the approved one" });
    const history = [historyEntry(settings, 0, "failed"), enforced];
    const { runs } = reportRecord(evidence({ history, runs: [killed] }), plan, "e".repeat(64));
    assert.deepEqual(
      runs.map(({ result, enforcedPlan }) => [result, enforcedPlan]),
      [
        ["killed, or still at work: no end was written", undefined],
        ["failed", false],
        // Some plan was enforced, but not by change apply.
        ["succeeded", false],
      ],
    );
    const own = reportRecord(evidence({ history: [enforced], runs: [runAt(199)] }), plan, "e".repeat(64));
    assert.deepEqual(
      own.runs.map(({ enforcedPlan }) => enforcedPlan),
      [true],
    );
    for (const { by } of runs.slice(1)) assert.notEqual(by, "the approved one");
  });

  it("has a run that was killed, which Pulumi's history does not know, and is under way while it is the newest", () => {
    const begun = (startedSeconds: number) =>
      runAt(startedSeconds, { endedAt: undefined, code: undefined, errors: [] });
    const up = historyEntry(settings, 200, "succeeded");
    const told = (run: ReturnType<typeof runAt>) =>
      reportRecord(evidence({ history: [up], runs: [run] }), plan, "e".repeat(64));
    const first = told(begun(0));
    assert.equal(first.startedAt, begun(0).startedAt);
    assert.equal(first.outcome, "upgraded, not accepted");
    assert.match(JSON.stringify(first.controls), /2 runs, failed: 1, all gone on with/);
    const last = told(begun(400));
    assert.deepEqual([last.startedAt, last.endedAt, last.seconds], [up.startTime, undefined, undefined]);
    assert.equal(last.workedSeconds, 100);
    assert.equal(last.outcome, "under way");
    // The engine was killed and who began it was not: there is an end, and none of Pulumi's.
    const killed = told(runAt(400));
    assert.equal(killed.outcome, "under way");
    assert.equal(killed.runs.at(-1)?.result, "ended with 1: Pulumi's history has no end of it");
    reportSchema.parse(JSON.parse(JSON.stringify(last)));
    // One that never came to its engine leaves all as it was.
    const refused = told(runAt(400, { begun: false }));
    assert.equal(refused.outcome, "upgraded, not accepted");
    assert.equal(refused.runs.at(-1)?.result, "not begun: nothing was touched");
  });

  it("counts a run that was watched and killed among the runs", () => {
    const target = { target: "a", samples: 9, missing: 0, longestGap: { seconds: 0 }, etcdFailed: 0 };
    const watched = { run: 1, targets: [target], unwatchedSeconds: 0, notes: [] };
    const history = [historyEntry(settings, 200, "succeeded")];
    const runs = [runAt(0, { endedAt: undefined })];
    const given = { ...evidence({ history, runs }), availability: [watched] };
    const told = reportRecord(given, plan, "e".repeat(64)).statements.map(({ text }) => text);
    assert.ok(
      told.some((text) => text.endsWith("; 1 of 2 runs were not watched")),
      told.join("\n"),
    );
  });

  it("calls no change accepted, nor gone back, whose run was killed once it had written that down", () => {
    const outcome = (standsAt: typeof settings) =>
      reportRecord(
        evidence({ resources: stateOf(standsAt), history: [historyEntry(settings, 0, "succeeded")] }),
        plan,
        "e".repeat(64),
      ).outcome;
    assert.equal(outcome(settings), "upgraded, not accepted");
    assert.equal(outcome(accepted), "under way");
  });

  it("names how it ended", () => {
    const outcome = (more: Parameters<typeof evidence>[0]) =>
      reportRecord(evidence(more), plan, "e".repeat(64)).outcome;
    const up = historyEntry(settings, 0, "succeeded");
    assert.equal(outcome({ history: [up] }), "upgraded, not accepted");
    assert.equal(outcome({ history: [historyEntry(settings, 0, "failed")] }), "under way");
    // A refresh that succeeds after a failure does no step, and one node that is not proven is not done.
    const refresh = { ...historyEntry(settings, 200, "succeeded"), kind: "refresh" };
    assert.equal(outcome({ history: [historyEntry(settings, 0, "failed"), refresh] }), "under way");
    assert.equal(outcome({ history: [up], resources: stateOf(settings, { count: 80 }) }), "under way");
    assert.equal(
      outcome({ resources: stateOf(accepted), history: [up, historyEntry(accepted, 200, "succeeded")] }),
      "accepted",
    );
    const withdrawn = settingsOf({ rke2Version: FROM });
    assert.equal(
      outcome({ resources: stateOf(withdrawn), history: [up, historyEntry(withdrawn, 200, "succeeded")] }),
      "withdrawn",
    );
    assert.equal(
      outcome({ resources: stateOf(withdrawn), history: [historyEntry(withdrawn, 0, "succeeded")] }),
      "settled",
    );
  });

  it("says of a round of OS patches, which moves no version, what became of it", () => {
    const round = (osPatch: object) => settingsOf({ rke2Version: FROM, osPatch });
    const begun = round({ packages: "security", round: settings.changeId });
    const done = round({ packages: "security", round: settings.changeId, acceptedRound: settings.changeId });
    const told = (last: typeof begun, result: "succeeded" | "failed" = "succeeded") =>
      reportRecord(
        evidence({
          resources: stateOf(last),
          history: [historyEntry(begun, 0, "succeeded"), historyEntry(last, 200, result)],
        }),
        undefined,
        "e".repeat(64),
      );
    assert.equal(told(begun).outcome, "patched, not accepted");
    assert.equal(told(begun).runs[0]?.does, `patching the OS: ${settings.changeId}`);
    assert.equal(told(begun, "failed").outcome, "under way");
    assert.equal(told(done).outcome, "accepted");
    assert.equal(told(round({})).outcome, "withdrawn");
    // An accepted round's name may stay in the config while a version moves.
    const bump = settingsOf({ osPatch: { acceptedRound: "CR-1" } });
    const bumped = { resources: stateOf(bump), history: [historyEntry(bump, 0, "succeeded")] };
    assert.equal(reportRecord(evidence(bumped), undefined, "e".repeat(64)).outcome, "upgraded, not accepted");
  });

  it("counts no refresh as a run", () => {
    const refresh = { ...historyEntry(settings, 400, "failed"), kind: "refresh" };
    const given = evidence({ history: [historyEntry(settings, 0, "succeeded"), refresh] });
    const { runs, endedAt, controls } = reportRecord(given, plan, "e".repeat(64));
    assert.equal(runs.length, 1);
    assert.equal(endedAt, runs[0]?.endedAt);
    assert.match(JSON.stringify(controls), /1 runs, failed: 0/);
  });

  it("says of a failed run that it was gone on with only where one was", () => {
    const told = (...results: ("failed" | "succeeded")[]) => {
      const history = results.map((result, i) => historyEntry(settings, i * 200, result));
      const report = reportRecord(evidence({ history }), plan, "e".repeat(64));
      return reportDocument(report, plan).facts.find(([name]) => name === "Failed runs")?.[1];
    };
    assert.equal(told("failed"), "1, the last one among them");
    assert.equal(told("failed", "succeeded"), "1, all gone on with");
    assert.equal(told("succeeded"), "0");
  });

  it("tells what a node ran before by its own word alone", () => {
    const resources = stateOf(settings).map((one) => ({
      ...one,
      outputs: one.urn.endsWith("proj-k8sw01-gate-node")
        ? { ...one.outputs, stdout: String(one.outputs.stdout).replace(FROM, TO) }
        : one.outputs,
    }));
    const ranBefore = (of: typeof plan | undefined) =>
      reportRecord(evidence({ resources }), of, "e".repeat(64)).nodes.find(
        ({ name }) => name === "proj-k8sw01",
      )?.before;
    assert.equal(ranBefore(plan), FROM);
    assert.equal(ranBefore(undefined), "not measured");
  });

  it("tells evictions and the tightest budget of the drains that measured them", () => {
    const texts = (resources: ReturnType<typeof stateOf>) =>
      reportRecord(evidence({ resources }), plan, "e".repeat(64)).statements.filter(({ source }) =>
        source.includes("each drain"),
      );
    const drains = stateOf(settings).filter(({ urn }) => urn.endsWith("-drain"));
    const all = texts(stateOf(settings));
    assert.match(all[0]?.text ?? "", new RegExp(`^${3 * drains.length} pods .* ${drains.length} of `));
    assert.match(
      all[1]?.text ?? "",
      /^the tightest budget, shop\/web, allowed \d+ disruptions as proj-k8sw01 /,
    );
    assert.ok(all.every(({ measured }) => measured));
    const without = stateOf(settings).map((one) => ({
      ...one,
      outputs: one.urn.endsWith("proj-k8sw01-drain")
        ? { ...one.outputs, stdout: '{"step":"drain","node":"proj-k8sw01"}' }
        : one.outputs,
    }));
    const [evictions, room] = texts(without);
    assert.match(evictions?.text ?? "", /others not measured/);
    assert.match(room?.text ?? "", /as proj-k8sw02 began.*others not measured/);
    assert.ok(!evictions?.measured && !room?.measured);
  });

  it("maps to the controls, and says of each statement whether it was measured and from where", () => {
    const { controls, statements, snapshots, restoreTest } = reportRecord(evidence(), plan, "e".repeat(64));
    assert.deepEqual(
      controls.map(({ cis }) => cis),
      ["CIS.3.4", "CIS.4.3", "CIS.10.2", "CIS.4.1", "CIS.5.1"],
    );
    const all = [...controls.flatMap((control) => control.statements), ...statements];
    for (const { text, measured, source } of all) {
      assert.ok(source.length > 5, text);
      if (!measured) assert.match(text, /not measured|^no |not run|was not|^0 /, text);
    }
    assert.equal(snapshots.length, settings.nodes.length);
    assert.match(snapshots.find(({ node }) => node === "proj-k8sm02")?.consistent ?? "", /crash-consistent/);
    assert.ok(restoreTest.measured);
    const told = reportRecord(evidence(), plan, "e".repeat(64), accessOf(settings)).controls.at(-1);
    assert.deepEqual(
      told?.statements.map(({ text }) => text),
      [
        "7 of 7 nodes: privileges had, beside the program: alice; 3 refused attempts",
        "2 of 2 Proxmox VE hosts: 2 tasks, 1 of them not by the program: bob@pve",
        "1 of 3 API servers: 4 changing requests by alice@example.org, but for Kubernetes' own components",
        '2 parts of it: not measured, see "Access"',
      ],
    );
  });

  it("says what the compliance scans found, where they were asked for and have ended", () => {
    const scan = { url: "https://mirror.example.org/kube-bench.tar.gz", sha256: "ab".repeat(32) };
    const resources = stateOf(settingsOf({ scan }));
    const scanOf = (given: StateResource[]) =>
      reportRecord(evidence({ resources: given }), undefined, "e".repeat(64))
        .controls.flatMap(({ statements }) => statements)
        .find(({ text }) => text.startsWith("CIS benchmark scan"));
    assert.match(
      scanOf(resources)?.text ?? "",
      /no new failure that is not acknowledged: proj-k8sm01-scan-after: /,
    );
    const before = resources.filter(({ urn }) => !urn.endsWith("-scan-after"));
    assert.deepEqual([scanOf(resources)?.measured, scanOf(before)?.measured], [true, false]);
  });

  it("claims nothing where nothing is in the state", () => {
    const { controls, restoreTest, nodes } = reportRecord(
      evidence({ resources: stateOf(settings, { count: 0 }), history: [] }),
      undefined,
      "e".repeat(64),
    );
    assert.ok(!restoreTest.measured);
    assert.equal(nodes.length, settings.nodes.length);
    const claims = controls
      .flatMap(({ statements }) => statements)
      .filter(({ measured, source }) => measured && source !== "change.json");
    assert.deepEqual(claims, []);
  });

  it("is the same bytes from the same evidence, whenever it is made", async () => {
    for (const access of [undefined, accessOf(settings)]) {
      const first = await reportFiles(evidence(), plan, access);
      const again = await reportFiles(JSON.parse(first[0]?.content ?? ""), plan, access);
      assert.deepEqual(again, first);
    }
  });
});

describe("report/state: Pulumi's own forms", () => {
  it("reads an export and a history with more in them than is asked for", () => {
    const resources = [{ urn: "urn:pulumi:a::b::c::d", type: "t", id: "x", inputs: {}, parent: "p" }];
    const read = exportSchema.parse({
      version: 3,
      deployment: { manifest: {}, resources, pending_operations: [] },
    });
    assert.equal(read.deployment.resources[0]?.custom, false);
    const entry = {
      version: 0,
      kind: "update",
      startTime: "s",
      message: "m",
      environment: {},
      config: { "rke2-upgrade:sshPrivateKey": { secret: true } },
      result: "in-progress",
    };
    assert.equal(historySchema.parse([entry])[0]?.endTime, "");
  });
});
