import assert from "node:assert/strict";
import fc from "fast-check";
import { ConfigError, parseSettings } from "../../config";
import { lab } from "./lab";

const certManager = {
  name: "cert-manager",
  namespace: "cert-manager",
  chart: "cert-manager",
  repo: "https://charts.jetstack.io",
  version: "v1.21.2",
  when: "before",
};
const gpuOperator = {
  ...{ name: "gpu-operator", namespace: "gpu-operator", chart: "oci://registry.example.org/gpu-operator" },
  ...{ version: "v26.8.0", when: "after" },
};

/** Each mistake's path and what is allowed there. */
function mistakes(operators: unknown): Record<string, string> {
  try {
    parseSettings(lab({ operators }));
    return {};
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    return Object.fromEntries(error.mistakes.map(({ path, allowed }) => [path, allowed]));
  }
}

describe("config: operators", () => {
  it("are none by default", () => {
    assert.deepEqual(parseSettings(lab()).operators, []);
  });

  it("take a chart of a repository, of a registry or of a path, with what is left out filled in", () => {
    const { operators } = parseSettings(lab({ operators: [certManager, gpuOperator] }));
    assert.deepEqual(operators[0], {
      ...certManager,
      ...{ values: {}, adopt: false, timeoutSeconds: 300, health: [] },
    });
    assert.deepEqual(mistakes([{ ...gpuOperator, chart: "charts/gpu-operator-v26.8.0.tgz" }]), {});
  });

  it("refuse every mistake at once, each by its key", () => {
    const found = mistakes([
      { ...certManager, version: ">=1.20", when: "during", valeus: {} },
      { ...gpuOperator, namespace: "GPU", health: [{ resource: "policy", path: "status", value: "" }] },
    ]);
    assert.deepEqual(Object.keys(found).sort(), [
      "operators[0].valeus",
      "operators[0].version",
      "operators[0].when",
      "operators[1].health[0].path",
      "operators[1].health[0].resource",
      "operators[1].health[0].value",
      "operators[1].namespace",
    ]);
    assert.match(found["operators[0].valeus"] ?? "", /did you mean values/);
  });

  it("refuse the GPU operator before its node (procedure §3.3.4)", () => {
    assert.match(mistakes([{ ...gpuOperator, when: "before" }])["operators[0].when"] ?? "", /"after"/);
  });

  it("refuse one name twice, whatever the names are", () => {
    const label = fc.stringMatching(/^[a-z][a-z0-9]{0,10}$/);
    fc.assert(
      fc.property(fc.array(label, { minLength: 1, maxLength: 5 }), (names) => {
        const found = mistakes(names.map((name) => ({ ...certManager, name })));
        const again = names.flatMap((name, i) => (names.indexOf(name) < i ? [`operators[${i}].name`] : []));
        assert.deepEqual(Object.keys(found), again);
      }),
      { numRuns: 30 },
    );
  });

  it("refuse a repository beside a chart that says itself where it is", () => {
    assert.ok("operators[0].chart" in mistakes([{ ...certManager, chart: "./cert-manager" }]));
  });
});
