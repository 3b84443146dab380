/** A change with waves in the record: what was planned, and what a wave's turn left in the state. */
import assert from "node:assert/strict";
import { planOf } from "../../components/plan";
import { evidenceOf } from "../../report/evidence";
import { laneOfStep } from "../../report/lanes";
import { plannedBars } from "../../report/render/planDocument";
import { reportRecord } from "../../report/report";
import type { StateResource } from "../../report/state";
import { turnSteps } from "../../report/waveTurns";
import { inputsOf, planned, settingsOf, stateOf } from "./fixtures";

const settings = settingsOf({ agents: { maxUnavailable: 2 } });
const TOGETHER = ["proj-k8sw02", "proj-k8sw03"];

/** The fixture's state as a run in waves would have left it: a turn is one resource. */
function stateInWaves(): StateResource[] {
  const state = stateOf(settings);
  const own = (node: string) => state.filter(({ urn }) => urn.split("::").at(-1)?.startsWith(`${node}-`));
  const inTurn = new Set(
    planOf(settings).flatMap(({ id, node, wave }) =>
      wave !== undefined && TOGETHER.includes(node ?? "") ? [id] : [],
    ),
  );
  const isStep = ({ urn }: StateResource) => inTurn.has(urn.split("::").at(-1) ?? "");
  const turns = TOGETHER.map((node): StateResource => {
    const steps = own(node).filter(isStep);
    const gate = steps.find(({ type }) => type.endsWith("TurnGate"));
    const said = (one: StateResource) => String(one.outputs.stdout).trim().split("\n").at(-1) ?? "";
    const results = Object.fromEntries(
      steps
        .filter((one) => one !== gate)
        .map((one) => [(one.urn.split("::").at(-1) ?? "").slice(node.length + 1), said(one)]),
    );
    return {
      ...(gate as StateResource),
      urn: `urn:pulumi:lab::rke2-upgrade::pulumi-nodejs:dynamic/rke2:WaveTurn::${node}-turn`,
      type: "pulumi-nodejs:dynamic/rke2:WaveTurn",
      modified: steps.at(-1)?.modified,
      outputs: { ...gate?.outputs, node, results, failed: "" },
    };
  });
  return [...state.filter((one) => !isStep(one)), ...turns];
}

const evidence = (resources: readonly StateResource[]) =>
  evidenceOf({ changeId: "CR-1", stack: "lab", resources, history: [], runs: [] });

describe("report: waves", () => {
  it("plans them: the wave of every step, bars side by side, as long in all as the schedule", () => {
    const record = planned(settings);
    const drains = record.steps.filter(({ id }) => id.endsWith("-drain"));
    assert.deepEqual(
      drains.map(({ node, wave }) => [node, wave]),
      [
        ["proj-k8sw01", 1],
        ["proj-k8sw02", 2],
        ["proj-k8sw03", 2],
        ["proj-k8sw04", 3],
      ],
    );
    assert.equal(drains[1]?.number, drains[2]?.number);
    assert.match(record.summary, /4 agents in 3 waves of at most 2/);
    const bars = plannedBars(record.steps);
    assert.equal(Math.max(...bars.map(({ to }) => to)), record.expectedSeconds);
    const [one, other] = TOGETHER.map((node) => bars.find(({ lane }) => lane === node));
    assert.equal(one?.from, other?.from);
  });

  it("plans as long as the schedule where one of a wave is slower than its fellows", () => {
    const { preview } = inputsOf(settings);
    const slow = { "proj-k8sw03-install": { expectedSeconds: 250, expectedFrom: "measured" as const } };
    const seen = { ...preview.seen, steps: slow };
    const record = planned(settings, { preview: { ...preview, seen } });
    assert.equal(Math.max(...plannedBars(record.steps).map(({ to }) => to)), record.expectedSeconds);
    assert.ok(record.expectedSeconds > planned(settings).expectedSeconds);
  });

  it("tells what Pulumi does with a turn at each of its steps", () => {
    const { preview } = inputsOf(settings);
    const operations = new Map([
      ["proj-k8sw02-turn", "create"],
      ["proj-k8sw01-drain", "update"],
    ]);
    const { steps } = planned(settings, { preview: { ...preview, operations } });
    const operation = (id: string) => steps.find((step) => step.id === id)?.operation;
    assert.equal(operation("proj-k8sw02-drain"), "create");
    assert.equal(operation("proj-k8sw02-turn-gate"), "create");
    assert.equal(operation("proj-k8sw01-drain"), "update");
    assert.equal(operation("proj-k8sw03-drain"), "not in the plan");
  });

  it("reads a wave's turns from the state as it reads Commands: the same report, step by step", () => {
    const plan = planned(settings);
    const asCommands = reportRecord(evidence(stateOf(settings)), plan, "p".repeat(64));
    const inWaves = reportRecord(evidence(stateInWaves()), plan, "p".repeat(64));
    const told = (steps: typeof inWaves.steps) =>
      steps.map(({ name, outcome }) => `${name}: ${outcome}`).sort();
    assert.deepEqual(told(inWaves.steps), told(asCommands.steps));
    const agents = planOf(settings).flatMap(({ id, phase }) => (phase === "agents" ? [id] : []));
    const missing = inWaves.steps.filter(({ outcome }) => outcome === "not done").map(({ name }) => name);
    assert.deepEqual(
      agents.filter((id) => missing.includes(id)),
      [],
    );
    assert.deepEqual(inWaves.nodes, asCommands.nodes);
    assert.deepEqual(
      inWaves.gates.map(({ name }) => name).sort(),
      asCommands.gates.map(({ name }) => name).sort(),
    );
  });

  it("has of a turn that failed what it did", () => {
    const state = stateInWaves().map((one) => {
      const { results } = one.outputs;
      if (!one.urn.endsWith("::proj-k8sw03-turn") || typeof results !== "object") return one;
      const some = Object.fromEntries(Object.entries(results ?? {}).slice(0, 3));
      return { ...one, outputs: { ...one.outputs, results: some, failed: "drain: a budget" } };
    });
    assert.deepEqual(
      state
        .flatMap(turnSteps)
        .filter(({ name }) => name.startsWith("proj-k8sw03"))
        .map(({ name }) => name),
      ["proj-k8sw03-gate-cluster", "proj-k8sw03-gate-node", "proj-k8sw03-cordon"],
    );
    const { steps } = reportRecord(evidence(state), planned(settings), "p".repeat(64));
    assert.equal(steps.find(({ name }) => name === "proj-k8sw03-install")?.outcome, "not done");
    assert.notEqual(steps.find(({ name }) => name === "proj-k8sw02-install")?.outcome, "not done");
  });

  it("has a row for what comes between waves", () => {
    for (const name of ["wave-2-end", "canary-soak"]) assert.equal(laneOfStep(name), "Between waves");
  });
});
