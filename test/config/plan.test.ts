import assert from "node:assert/strict";
import fc from "fast-check";
import { describePlan, duration, PHASES, type Step } from "../../config/plan";

const step = (id: string, more: Partial<Step> = {}): Step => ({
  id,
  phase: "agents",
  title: `do ${id}`,
  boundSeconds: 300,
  ...more,
});

describe("config/plan", () => {
  it("prints from and to where a node's upgrade begins, and numbers every step through all phases", () => {
    const plan = [
      step("preflight", { phase: "preflight", boundSeconds: 90 }),
      step("a-gate", { node: "a", phase: "servers" }),
      step("a-soak", { node: "a", phase: "servers", expectedSeconds: 30, boundSeconds: 60 }),
      step("b-gate", { node: "b" }),
    ];
    assert.deepEqual(describePlan(plan, "v1.35.4+rke2r1", "v1.36.3+rke2r1"), [
      "Before anything changes",
      "    1. do preflight (at most 1 min 30 s)",
      "Servers, one at a time",
      "  a: v1.35.4+rke2r1 → v1.36.3+rke2r1",
      "    2. a: do a-gate (at most 5 min)",
      "    3. a: do a-soak (30 s, at most 1 min)",
      "Agents, one at a time",
      "  b: v1.35.4+rke2r1 → v1.36.3+rke2r1",
      "    4. b: do b-gate (at most 5 min)",
    ]);
  });

  it("puts what runs side by side on one line, and only neighbours of one group", () => {
    const together = (node: string, group: string) =>
      step(`${node}-fetch`, { node, phase: "artifacts", title: "fetch", together: group });
    const plan = [together("a", "x"), together("b", "x"), together("c", "y")];
    assert.deepEqual(describePlan(plan, "v1", "v2"), [
      "Artifacts",
      "    1. a, b: fetch (at most 5 min)",
      "    2. c: fetch (at most 5 min)",
    ]);
  });

  it("loses no step and keeps their order within a phase, whatever the plan", () => {
    const anyPlan = fc
      .array(fc.record({ phase: fc.constantFrom(...PHASES), bound: fc.integer({ min: 1, max: 7200 }) }))
      .map((steps) => steps.map(({ phase, bound }, i) => step(`s${i}`, { phase, boundSeconds: bound })));
    fc.assert(
      fc.property(anyPlan, (plan) => {
        const printed = describePlan(plan, "v1", "v2").flatMap((line) => / do (s\d+) /.exec(line)?.[1] ?? []);
        const expected = PHASES.flatMap((phase) =>
          plan.filter((one) => one.phase === phase).map(({ id }) => id),
        );
        assert.deepEqual(printed, expected);
      }),
    );
  });

  it("writes durations for people", () => {
    assert.deepEqual([5, 60, 150, 7200, 12_000].map(duration), [
      "5 s",
      "1 min",
      "2 min 30 s",
      "120 min",
      "3 h 20 min",
    ]);
  });
});
