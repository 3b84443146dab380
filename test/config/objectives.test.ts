import assert from "node:assert/strict";
import fc from "fast-check";
import { type ConfigError, dueAfterMs, objectiveOf, parseSettings, restoreTestNode } from "../../config";
import { lab } from "./lab";

describe("objectives", () => {
  it("are the procedure's where nothing else is said", () => {
    const settings = parseSettings(lab());
    assert.deepEqual(
      (["controlPlane", "worker", "fullCluster", "partialUpgrade"] as const).map((scenario) => {
        const { rtoMinutes, rpoMinutes } = objectiveOf(settings, scenario);
        return [rtoMinutes, rpoMinutes];
      }),
      [
        [60, 15],
        [30, 0],
        [120, 15],
        [90, 15],
      ],
    );
  });

  it("have the next snapshot begun so early that none is too old when it has arrived", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1440 }), fc.nat(), (rpoMinutes, tookMs) => {
        const { objectives } = parseSettings(lab({ objectives: { rpoMinutes } }));
        const rpoMs = rpoMinutes * 60_000;
        const due = dueAfterMs({ objectives }, tookMs);
        assert.ok(due >= rpoMs / 2 && due < rpoMs);
        // What takes longer than half the objective can not be kept by beginning earlier.
        if (tookMs <= rpoMs * 0.3) assert.ok(due + tookMs <= rpoMs);
      }),
      { numRuns: 30 },
    );
  });
});

describe("restoreTest", () => {
  const mistakes = (restoreTest: Record<string, unknown>) => {
    try {
      parseSettings(lab({ restoreTest }));
      return [];
    } catch (error) {
      return (error as ConfigError).mistakes.map(({ path, found }) => `${path}: ${found}`);
    }
  };

  it("takes the first server, or the one that is named", () => {
    assert.equal(restoreTestNode(parseSettings(lab())).name, "proj-k8sm01");
    assert.equal(
      restoreTestNode(parseSettings(lab({ restoreTest: { node: "proj-k8sm02" } }))).name,
      "proj-k8sm02",
    );
  });

  it("takes no agent, no stranger, and no VM ID that a node has", () => {
    assert.deepEqual(mistakes({ node: "proj-k8sw01" }), ["restoreTest.node: proj-k8sw01, an agent"]);
    assert.deepEqual(mistakes({ node: "proj-k8sm09" }), [
      "restoreTest.node: proj-k8sm09, which is not in nodes",
    ]);
    assert.deepEqual(mistakes({ vmId: 3002 }), ["restoreTest.vmId: 3002, which is proj-k8sm02's"]);
  });
});
