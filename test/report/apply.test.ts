import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import type { Settings } from "../../config";
import { approvalText, judgeApproval } from "../../report/approval";
import { planNames } from "../../report/directory";
import { movedSince } from "../../report/judgeApply";
import type { PlanRecord } from "../../report/planSchema";
import { furtherReaching, planDifferences } from "../../report/pulumiPlan";
import { errorsIn } from "../../report/runFiles";
import { FROM, inputsOf, planned, seenOf, settingsOf, TO } from "./fixtures";

const settings = settingsOf();
const plan = planned(settings);

describe("report/approval", () => {
  const directory = mkdtempSync(join(tmpdir(), "approval-test-"));
  after(() => rmSync(directory, { recursive: true }));
  const judge = (approval: Partial<Settings["approval"]>, of: PlanRecord = plan) =>
    judgeApproval({ approval: { allowedSigners: [], ...approval } }, of, directory);
  const given = { changeId: "CR-1", approver: "cab" };

  it("says what is missing, and how to give it", () => {
    const missing = (approval: Partial<Settings["approval"]>) => {
      const verdict = judge(approval);
      assert.ok("missing" in verdict);
      return `${verdict.missing} | ${verdict.next}`;
    };
    assert.match(missing({}), /changeId is not set .*approval\.changeId' CR-1/);
    assert.match(missing({ ...given, changeId: "CR-2" }), /is CR-2, the plan is CR-1/);
    assert.match(missing({ changeId: "CR-1" }), /who approved it/);
    assert.match(missing({ ...given, digest: "f".repeat(16) }), /another plan was approved/);
  });

  it("tells an approval of this digest from one of the change ID alone", () => {
    assert.deepEqual(judge(given), {
      by: "cab",
      how: "by the stack's config, unsigned, of the change ID, not of this digest",
    });
    const digest = plan.digest.value.slice(0, 16);
    assert.match(JSON.stringify(judge({ ...given, digest })), /unsigned, of this digest/);
  });

  it("takes a signature of this plan by an allowed signer, and none of another plan, key, person or purpose", () => {
    const key = (name: string) => {
      execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", name, "-f", join(directory, name)]);
      return execFileSync("ssh-keygen", ["-y", "-f", join(directory, name)], { encoding: "utf8" }).trim();
    };
    const signers = { ...given, allowedSigners: [`cab ${key("cab")}`, `boss ${key("boss")}`] };
    key("stranger");
    const file = join(directory, planNames("upgrade").approval);
    const sign = (text: string, who: string, purpose = "rke2-upgrade") => {
      writeFileSync(file, text);
      rmSync(`${file}.sig`, { force: true });
      execFileSync("ssh-keygen", ["-q", "-Y", "sign", "-f", join(directory, who), "-n", purpose, file], {
        stdio: "ignore",
      });
    };
    assert.match(JSON.stringify(judge(signers)), /there is no .*ssh-keygen -Y sign/);
    sign(approvalText(plan), "cab");
    assert.match(JSON.stringify(judge(signers)), /"by":"cab","how":"signed/);
    const other = planned(settings, { files: { "index.ts": "9".repeat(64) } });
    assert.ok("missing" in judge(signers, other));
    // What lies beside the signature is not what is verified.
    writeFileSync(file, approvalText(other));
    assert.ok("missing" in judge(signers, other));
    for (const [text, who, purpose] of [
      [approvalText(plan), "stranger"],
      [approvalText(plan), "boss"],
      [approvalText(plan), "cab", "git"],
      [`${approvalText(plan)} `, "cab"],
    ] as const) {
      sign(text, who, purpose);
      assert.ok("missing" in judge(signers), `${who} ${purpose}`);
    }
  });
});

describe("report/judgeApply: what has moved since the plan", () => {
  const inputs = inputsOf(settings);
  const moved = (
    more: Parameters<typeof planned>[1],
    plans: Partial<{ approvedPlan: string; nowPlan: string; begun: boolean }> = {},
  ) =>
    movedSince({
      approved: plan,
      approvedPlan: inputs.preview.plan,
      now: planned(settings, more),
      nowPlan: inputs.preview.plan,
      begun: false,
      ...plans,
    });
  const running = (versions: { versionOnDisk: string; versionRunning: string }) => {
    const seen = seenOf(settings);
    seen.nodes["proj-k8sm01"] = { ...versions, service: "active", bootId: "b" };
    return { preview: { ...inputs.preview, seen } };
  };

  it("finds nothing where nothing has", () => assert.deepEqual(moved({}), []));

  it("names a changed script, lockfile and config key", () => {
    const files = {
      ...inputs.files,
      "scripts/restart.sh": "5".repeat(64),
      "package-lock.json": "6".repeat(64),
    };
    assert.deepEqual(moved({ files }), [
      "program: package-lock.json: added since the plan",
      "program: scripts/restart.sh: changed since the plan",
    ]);
    const configKeys = { ...inputs.configKeys, "rke2-upgrade:nodes": "7".repeat(64) };
    assert.deepEqual(moved({ configKeys }), ["config: rke2-upgrade:nodes: changed since the plan"]);
  });

  it("names a node that runs another version, unless a run of this plan has brought it there", () => {
    const there = running({ versionOnDisk: TO, versionRunning: TO });
    assert.deepEqual(moved(there), [`node proj-k8sm01: runs ${TO}, ran ${FROM} when the plan was made`]);
    assert.deepEqual(moved(there, { begun: true }), []);
    const half = running({ versionOnDisk: TO, versionRunning: "" });
    assert.match(moved(half).join(), /runs nothing, with v1\.36\.3\+rke2r1 installed/);
    assert.deepEqual(moved(half, { begun: true }), []);
    const strange = running({ versionOnDisk: "v1.36.4+rke2r1", versionRunning: "v1.36.4+rke2r1" });
    assert.match(moved(strange, { begun: true }).join(), /runs v1\.36\.4/);
    const seen = seenOf(settings);
    seen.nodes["proj-k8sw01"] = { notMeasured: "no answer" };
    assert.match(moved({ preview: { ...inputs.preview, seen } }).join(), /proj-k8sw01: runs not measured/);
  });

  it("holds Pulumi's own plans against each other until a run has begun", () => {
    const nowPlan = '{"resourcePlans":{"urn:pulumi:a::b::c::x":{"steps":["create"]}}}';
    assert.deepEqual(moved({}, { nowPlan }), ["Pulumi's plan: x is new in it"]);
    const approvedPlan = '{"resourcePlans":{"urn:pulumi:a::b::c::x":{"steps":["update"]}}}';
    assert.equal(moved({}, { nowPlan: approvedPlan.replace("update", "same"), approvedPlan }).length, 1);
    const done = { nowPlan: approvedPlan.replace("update", "same"), approvedPlan, begun: true };
    assert.deepEqual(moved({}, done), []);
    assert.deepEqual(moved({}, { nowPlan, begun: true }), ["Pulumi's plan: x is new in it"]);
  });
});

describe("report/pulumiPlan: what reaches further than what was approved", () => {
  const OPS = ["create", "update", "delete", "replace", "create-replacement"] as const;
  const file = (steps: readonly string[]) =>
    JSON.stringify({ resourcePlans: { "urn:pulumi:a::b::c::x": { steps } } });
  const some = fc.subarray([...OPS]);

  it("is every operation that is neither approved nor the asking again of what was to be created", () => {
    fc.assert(
      fc.property(some, some, fc.boolean(), (then, now, same) => {
        const found = furtherReaching(file(then), file(same ? ["same", ...now] : now));
        const allowed = then.includes("create") ? [...then, "update"] : then;
        assert.equal(
          found.length === 0,
          now.every((op) => allowed.includes(op)),
        );
      }),
    );
    assert.deepEqual(furtherReaching(file(["same"]), file(["update"])), [
      "Pulumi's plan: x: same then, update now",
    ]);
  });

  it("is nothing of what has gone from the plan since", () =>
    assert.deepEqual(furtherReaching(file(["delete"]), '{"resourcePlans":{}}'), []));
});

describe("report/pulumiPlan", () => {
  const file = (more: object, seed = "s") =>
    JSON.stringify({
      manifest: { time: seed },
      resourcePlans: {
        "urn:pulumi:a::b::command:remote:Command::x": {
          steps: ["create"],
          seed,
          goal: { inputDiff: { adds: { create: "c" } }, dependencies: ["1", "2"], ...more },
        },
      },
    });
  const secret = (ciphertext: string) => ({
    inputDiff: {
      adds: {
        connection: { "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", ciphertext },
      },
    },
  });

  it("does not mind another time, seed, order of dependencies or ciphertext", () => {
    assert.deepEqual(planDifferences(file({}), file({ dependencies: ["2", "1"] }, "t")), []);
    assert.deepEqual(planDifferences(file(secret("v1:a")), file(secret("v1:b"))), []);
  });

  it("finds another operation, input or dependency", () => {
    assert.deepEqual(planDifferences(file({}), file({ inputDiff: { adds: { create: "d" } } })), [
      "Pulumi's plan: x: its inputs are others",
    ]);
    assert.equal(planDifferences(file({}), file({ dependencies: ["1"] })).length, 1);
    const other = file({}).replace('"create"', '"update"');
    assert.deepEqual(planDifferences(file({}), other), ["Pulumi's plan: x: create then, update now"]);
  });
});

describe("report/runFiles: an engine's errors", () => {
  it("are told with their resource, whole, and nothing else is", () => {
    const log = [
      " +  command:remote:Command proj-k8sm01-restart creating (0s)",
      "Diagnostics:",
      "  pulumi:pulumi:Stack (rke2-upgrade-lab):",
      "    CR-1: from → to",
      "    warning: error: is no error here",
      "    error: update failed",
      "",
      "  command:remote:Command (proj-k8sm01-restart):",
      "    error: proj-k8sm01: restart: it did not come up",
      "      next: look into its journal",
      "    info: more",
      "",
      "Outputs:",
      "    error: none of ours",
    ].join("\n");
    assert.deepEqual(errorsIn(log), [
      "pulumi:pulumi:Stack (rke2-upgrade-lab): update failed",
      "command:remote:Command (proj-k8sm01-restart): proj-k8sm01: restart: it did not come up\n  next: look into its journal",
    ]);
    assert.deepEqual(errorsIn("error: could not read the plan\n"), ["error: could not read the plan"]);
  });
});
