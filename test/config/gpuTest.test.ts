import assert from "node:assert/strict";
import { ConfigError, parseSettings } from "../../config";
import { lab, labNodes } from "./lab";

const IMAGE = "nvcr.io/nvidia/k8s/cuda-sample:vectoradd-cuda12.5.0-ubuntu22.04";

function paths(changes: Record<string, unknown>): string[] {
  try {
    parseSettings(lab(changes));
    return [];
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return error.mistakes.map(({ path }) => path).sort();
  }
}

describe("config/gpuTest", () => {
  it("is off where nothing is said", () => {
    assert.equal(parseSettings(lab()).gpuTest, undefined);
    assert.equal(parseSettings(lab({ gpuTest: {} })).gpuTest, undefined);
  });

  it("takes an image, whose own command is run in the default namespace", () => {
    assert.deepEqual(parseSettings(lab({ gpuTest: { image: IMAGE } })).gpuTest, {
      ...{ image: IMAGE, command: [], namespace: "default", timeoutSeconds: 600 },
    });
  });

  it("refuses every mistake at once, each by its key", () => {
    const gpuTest = {
      image: "cuda-sample:latest",
      command: "nvidia-smi",
      namespace: "GPU",
      timeoutSeconds: 0,
    };
    assert.deepEqual(paths({ gpuTest: { ...gpuTest, runtimeClassName: "" } }), [
      "gpuTest.command",
      "gpuTest.image",
      "gpuTest.namespace",
      "gpuTest.runtimeClassName",
      "gpuTest.timeoutSeconds",
    ]);
    assert.deepEqual(paths({ gpuTest: { command: ["nvidia-smi"] } }), ["gpuTest.image"]);
    // As `pulumi config set --path` makes of a word that looks like a number.
    assert.deepEqual(paths({ gpuTest: { image: IMAGE, command: ["sleep", 60] } }), ["gpuTest.command[1]"]);
  });

  it("refuses a test that no node would run", () => {
    const nodes = labNodes.map((node) => ({ ...node, gpu: false }));
    assert.deepEqual(paths({ nodes, gpuTest: { image: IMAGE } }), ["gpuTest"]);
    assert.deepEqual(paths({ nodes }), []);
  });
});
