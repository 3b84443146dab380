import assert from "node:assert/strict";
import fc from "fast-check";
import { gpuJob } from "../../components/gpuJob";
import { agentTurn, type PlannedStep } from "../../components/turns";
import { parseSettings } from "../../config";
import { shellWord } from "../../scripts";
import { lab } from "../config/lab";

const IMAGE = "nvcr.io/nvidia/k8s/cuda-sample:vectoradd-cuda12.5.0-ubuntu22.04";

const GPU_NODE = "proj-k8sw04";

function turn(node: string, changes: Record<string, unknown> = {}): PlannedStep[] {
  const settings = parseSettings(lab(changes));
  const found = settings.agents.find(({ name }) => name === node);
  assert.ok(found);
  return agentTurn(settings, found);
}
const stepOf = (steps: PlannedStep[], id: string): PlannedStep => {
  const found = steps.find((step) => step.id === id);
  assert.ok(found, id);
  return found;
};

describe("components/gpuJob", () => {
  function jobOf(gpuTest: object) {
    const settings = parseSettings(lab({ gpuTest: { image: IMAGE, ...gpuTest } }));
    const [node] = settings.agents.filter(({ gpu }) => gpu);
    assert.ok(node);
    const made = gpuJob(settings, node);
    return { ...made, job: JSON.parse(made.manifest) };
  }

  it("is one that only its node's GPU can serve, cordoned as it is, and that ends by itself", () => {
    const { namespace, name, job } = jobOf({});
    assert.deepEqual([namespace, name], ["default", "rke2-upgrade-gpu-cr-2026-041-3007"]);
    assert.deepEqual(job.metadata, {
      name,
      namespace,
      annotations: { "rke2-upgrade/change": "CR-2026-041" },
    });
    const { template, ...bounds } = job.spec;
    assert.deepEqual(bounds, { backoffLimit: 0, activeDeadlineSeconds: 660, ttlSecondsAfterFinished: 600 });
    assert.deepEqual(template.spec.tolerations, [{ operator: "Exists" }]);
    assert.deepEqual(
      template.spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms,
      [{ matchFields: [{ key: "metadata.name", operator: "In", values: [GPU_NODE] }] }],
    );
    assert.deepEqual(template.spec.containers, [
      { name: "gpu-test", image: IMAGE, resources: { limits: { "nvidia.com/gpu": 1 } } },
    ]);
    assert.equal("runtimeClassName" in template.spec, false);
    assert.equal(jobOf({ runtimeClassName: "nvidia" }).job.spec.template.spec.runtimeClassName, "nvidia");
  });

  it("has any command as it was given, and nothing in it that systemd would replace", () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: fc.constantFrom("$", "%", "a", " ", '"', "\\", "{", "ü") }), {
          minLength: 1,
        }),
        (command) => {
          const { manifest, job } = jobOf({ command });
          assert.doesNotMatch(manifest, /[$%\n]/);
          assert.deepEqual(job.spec.template.spec.containers[0].command, command);
        },
      ),
      { numRuns: 50 },
    );
  });
});

describe("components/turns: a GPU agent", () => {
  it("lists its workloads before it is cordoned, proves its GPU before and sees them run after its uncordon", () => {
    const ids = turn(GPU_NODE).map(({ id }) => id);
    assert.deepEqual(ids.slice(2, 4), ["gpu-before", "cordon"]);
    assert.deepEqual(ids.slice(-3), ["verify-cluster", "gpu-after", "uncordon"]);
    assert.deepEqual(stepOf(turn(GPU_NODE), "uncordon").args.slice(4), ["", 300]);
    assert.equal(stepOf(turn(GPU_NODE), "uncordon").limitSeconds, 420);
  });

  it("runs the job only where one is asked for, and has time for it", () => {
    const without = stepOf(turn(GPU_NODE), "gpu-after");
    assert.deepEqual(without.args, [GPU_NODE, "gpu-operator", 1500, "CR-2026-041", 0]);
    assert.doesNotMatch(without.title, /job/);
    const gpuTest = { image: IMAGE, command: ["nvidia-smi"], namespace: "gpu-operator", timeoutSeconds: 60 };
    const { title, args, limitSeconds } = stepOf(turn(GPU_NODE, { gpuTest }), "gpu-after");
    assert.ok(title.includes(IMAGE));
    assert.deepEqual(args.slice(5, 8), ["gpu-operator", "rke2-upgrade-gpu-cr-2026-041-3007", 60]);
    assert.ok(shellWord(String(args[8])).includes("nvidia-smi"));
    assert.equal(limitSeconds, without.limitSeconds + 60 + 150);
  });

  it("proves the GPU operator's pods where that operator is", () => {
    const at = (name: string, namespace: string) => ({
      ...{ name, namespace, chart: `oci://x.org/${name}`, version: "v26.8.0", when: "after" },
    });
    const operators = [at("cert-manager", "cert"), at("gpu-operator", "nvidia")];
    assert.equal(stepOf(turn(GPU_NODE, { operators }), "gpu-after").args[1], "nvidia");
    const other = { operators: operators.slice(0, 1) };
    assert.equal(stepOf(turn(GPU_NODE, other), "gpu-after").args[1], "gpu-operator");
  });

  it("changes no other agent's turn", () => {
    assert.deepEqual(turn("proj-k8sw01", { gpuTest: { image: IMAGE } }), turn("proj-k8sw01"));
    assert.equal(stepOf(turn("proj-k8sw01"), "uncordon").args.length, 4);
  });
});
