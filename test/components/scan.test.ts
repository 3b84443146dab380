import assert from "node:assert/strict";
import { planOf } from "../../components/plan";
import { scan as scanStep } from "../../components/turns";
import { parseSettings } from "../../config";
import { laneOfStep } from "../../report/lanes";
import { stepOf } from "../../report/stepName";
import { lab, labNodes } from "../config/lab";
import { type Registered, runProgram } from "./engine";

const A = "v1.35.4+rke2r1";
const B = "v1.36.3+rke2r1";
const scan = {
  url: "https://mirror.example.org/kube-bench.tar.gz",
  sha256: "ab".repeat(32),
  acknowledged: [{ id: "4.1.5", reason: "known" }],
};
const NODES = labNodes.map(({ name }) => String(name));
const isScan = (name: string) => name.includes("-scan-");

describe("components/scan", () => {
  const find = (all: Registered[], name: string): Registered => {
    const found = all.find((one) => one.name === name);
    assert.ok(found, `${name} is not registered`);
    return found;
  };

  it("adds nothing where the config asks for none", async () => {
    assert.ok(!planOf(parseSettings(lab({ rke2Version: B }))).some(({ id }) => isScan(id)));
    assert.ok(
      !(await runProgram({ rke2Version: B })).some(({ name, type }) => isScan(name) || type.endsWith("Scan")),
    );
  });

  it("scans every node after the questions and before all else, and again after the validation, in the plan's order", async () => {
    const all = await runProgram({ rke2Version: B, acceptedVersion: A, scan });
    const plan = planOf(parseSettings(lab({ rke2Version: B, acceptedVersion: A, scan })));
    const ids = new Map(plan.map((step) => [step.id, step]));
    for (const node of NODES) {
      const [before, after] = [find(all, `${node}-scan-before`), find(all, `${node}-scan-after`)];
      assert.ok(find(all, "preflight").done < before.started);
      assert.ok(before.done < find(all, `${NODES[0]}-fetch-artifacts`).started);
      assert.ok(find(all, "validation-smoke-test").done < after.started);
      assert.ok(after.done < find(all, "manifest-configmap").started);
      assert.match(String(before.inputs.create), / scan \S+ 600 before (server|agent) .* rke2-cis-1\.7 #/);
      assert.match(String(after.inputs.create), / after .* rke2-cis-1\.7 4\.1\.5 #/);
      for (const name of [before.name, after.name]) assert.equal(stepOf(name, ids), name);
    }
    const order = plan
      .map(({ id }) => id)
      .filter((id) => isScan(id) || /preflight|fetch|smoke|manifest/.test(id));
    assert.deepEqual(order, [
      "preflight",
      ...NODES.map((node) => `${node}-scan-before`),
      ...NODES.map((node) => `${node}-fetch-artifacts`),
      ...NODES.map((node) => `${node}-scan-turn`),
      "smoke-test",
      ...NODES.map((node) => `${node}-scan-after`),
      "manifest",
    ]);
  });

  it("gives the image's digest in the place of an archive's checksum", () => {
    const image = `docker.io/aquasec/kube-bench@sha256:${"cd".repeat(32)}`;
    const settings = parseSettings(lab({ scan: { image } }));
    const [node] = settings.nodes;
    assert.ok(node);
    const { args } = scanStep(settings, node, "before");
    assert.deepEqual(args.slice(5), [image, "cd".repeat(32), "", "rke2-cis-1.7"]);
  });

  it("scans each node in its own turn, once it is proven and before the next node's begins", async () => {
    const all = await runProgram({ rke2Version: B, acceptedVersion: A, scan });
    for (const [i, node] of NODES.entries()) {
      const scanned = find(all, `${node}-scan-turn`);
      assert.ok(find(all, `${node}-verify-node`).done < scanned.started);
      assert.ok(scanned.done < find(all, `${node}-verify-cluster`).started);
      const next = NODES[i + 1];
      if (next) assert.ok(scanned.done < find(all, `${next}-turn-gate`).started);
      assert.match(String(scanned.inputs.create), / turn .* rke2-cis-1\.7 4\.1\.5 #/);
    }
  });

  it("scans once more before the way back is let go", async () => {
    const all = await runProgram({ rke2Version: B, acceptedVersion: B, scan });
    const accept = find(all, "settled-accept");
    for (const node of NODES) {
      const scanned = find(all, `${node}-scan-accept`);
      assert.ok(find(all, `settled-${node}-verify`).done < scanned.started && scanned.done < accept.started);
      // Whatever the config calls the next change by now: what was scanned before lies under the ID of the one that moved.
      assert.match(String(scanned.inputs.create), / scan \S+ 600 accept (server|agent) CR-MOVED /);
    }
  });

  it("has a row in the report for each", () => {
    const rows = ["before", "turn", "after", "accept"].map((when) => laneOfStep(`proj-k8sm01-scan-${when}`));
    assert.deepEqual(rows, ["Preflight", laneOfStep("proj-k8sm01-install"), "Validation", "Acceptance"]);
  });
});
