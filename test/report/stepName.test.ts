import assert from "node:assert/strict";
import type { PlanLine } from "../../components/plan";
import { remaining } from "../../report/runbook/make";
import { stepOf } from "../../report/stepName";
import { stepsOf } from "../../report/steps";
import { labNodes } from "../config/lab";
import { inputsOf, planned, settingsOf } from "./fixtures";

describe("report/stepName: which step a resource is", () => {
  const ids = new Set(["w1-drain", "etcd-backup", "manifest", "charts-settled"]);

  it("is told by the whole name, or what stands after its component", () => {
    for (const [name, id] of [
      ["w1-drain", "w1-drain"],
      ["way-back-etcd-backup", "etcd-backup"],
      ["charts-settled", "charts-settled"],
      ["manifest-configmap", "manifest"],
      ["gpu-w1-drain", undefined],
      ["my-way-back-etcd-backup", undefined],
      ["way-back-join", undefined],
    ] as const)
      assert.equal(stepOf(name, ids), id, name);
  });

  it("joins a node's proof at acceptance with its own step, never with that of its turn", () => {
    for (const ids of [new Set(["w1-verify"]), new Set(["w1-verify", "w1-verify-node"])])
      assert.equal(stepOf("settled-w1-verify", ids), "w1-verify");
    assert.equal(stepOf("settled-w1-verify", new Set(["w1-verify-node"])), undefined);
  });

  it("keeps two nodes apart of which one's name ends like the other's, in plan, report and runbook", () => {
    const nodes = labNodes.map((node) => {
      const name = { "proj-k8sw01": "gpu-w1", "proj-k8sw02": "w1" }[String(node.name)] ?? node.name;
      return { ...node, name };
    });
    const settings = settingsOf({ nodes });
    const operations = new Map([
      ["gpu-w1-drain", "create"],
      ["w1-drain", "same"],
    ]);
    const plan = planned(settings, { preview: { ...inputsOf(settings).preview, operations } });
    const operation = (id: string) => plan.steps.find((step) => step.id === id)?.operation;
    assert.deepEqual([operation("gpu-w1-drain"), operation("w1-drain")], ["create", "same"]);
    const only = { ...plan, steps: plan.steps.filter(({ id }) => id !== "gpu-w1-drain") };
    const resource = { name: "gpu-w1-drain", kind: "Command", inState: true };
    const w1 = stepsOf([resource], only).filter(({ name }) => name === "w1-drain");
    assert.deepEqual(
      w1.map(({ outcome }) => outcome),
      ["not done"],
    );
    const turn: PlanLine[] = [{ id: "w1-drain", phase: "agents", title: "", boundSeconds: 1, node: "w1" }];
    assert.deepEqual(remaining(turn, new Set(["gpu-w1-drain"])), turn);
  });
});
