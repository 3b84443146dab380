import assert from "node:assert/strict";
import fc from "fast-check";
import { planOf } from "../../components/plan";
import { agentTurn, serverTurn } from "../../components/turns";
import { type ClusterNode, describePlan, duration, parseSettings } from "../../config";
import { estimate, type Measured, totalSeconds, withExpectations } from "../../config/durations";
import { lab } from "./lab";

const settings = parseSettings(lab({ rke2Version: "v1.36.3+rke2r1" }));
const plan = planOf(settings);
const step = (id: string, measured: Measured[] = []) =>
  withExpectations(plan, settings, measured).find((one) => one.id === id)?.expectedSeconds;
const measured = (node: string, seconds: number, name = "restart"): Measured => ({
  step: name,
  node,
  seconds,
});

describe("config/durations", () => {
  it("expects what config says where nothing was measured: drains and soaks by their own limits", () => {
    const { durations, drain, limits } = settings;
    assert.equal(step("proj-k8sm01-restart"), durations.restartSeconds);
    assert.equal(step("proj-k8sw01-drain"), drain.timeoutSeconds);
    assert.equal(step("proj-k8sw04-drain"), drain.gpuTimeoutSeconds);
    assert.equal(step("proj-k8sm01-verify-cluster"), durations.verifySeconds + limits.soakServerSeconds);
  });

  it("counts the restore test before the first turn, where it is to be run", () => {
    const of = (enabled: boolean) => {
      const given = { ...settings, restoreTest: { ...settings.restoreTest, enabled } };
      return estimate(planOf(given), given, [], new Set()).beforeSeconds;
    };
    const { restoreTestSeconds } = settings.durations;
    assert.equal(step("restore-test"), restoreTestSeconds);
    // The step that does nothing takes as long as the restore point, which is not made then.
    assert.equal(of(true) - of(false), restoreTestSeconds);
  });

  it("expects the node's own slowest, else that of its role; a GPU agent is like none other", () => {
    const records = [
      measured("proj-k8sm01", 41.2),
      measured("proj-k8sm01", 0.1),
      measured("proj-k8sw01", 12),
    ];
    assert.equal(step("proj-k8sm01-restart", records), 42);
    assert.equal(step("proj-k8sm02-restart", records), 42);
    assert.equal(step("proj-k8sw02-restart", records), 12);
    assert.equal(step("proj-k8sw04-restart", records), settings.durations.restartSeconds);
    assert.equal(
      step("proj-k8sm01-restart", [measured("proj-k8sm01", 0.2)]),
      settings.durations.restartSeconds,
    );
  });

  it("knows every step that runs on a node by its script, which is what the node writes down", () => {
    const [server, agent] = [settings.servers[0], settings.agents[3]] as [ClusterNode, ClusterNode];
    const turns = [
      ...serverTurn(settings, server).map((planned) => ({ planned, node: server.name })),
      ...agentTurn(settings, agent).map((planned) => ({ planned, node: agent.name })),
    ];
    for (const { planned, node } of turns)
      assert.equal(step(`${node}-${planned.id}`, [measured(node, 3, planned.script)]), 3, planned.id);
  });

  it("never expects more than a step may take, whatever was measured", () => {
    const any = fc.array(
      fc.record({
        step: fc.constantFrom("restart", "drain", "install", "verify-cluster", "fetch-artifacts"),
        node: fc.constantFrom(...settings.nodes.map(({ name }) => name), "gone"),
        seconds: fc.double({ min: 0, max: 1e5, noNaN: true }),
      }),
    );
    fc.assert(
      fc.property(any, (records) => {
        for (const { expectedSeconds = -1, boundSeconds } of withExpectations(plan, settings, records))
          assert.ok(expectedSeconds >= 0 && expectedSeconds <= boundSeconds);
      }),
    );
  });

  it("counts what runs side by side once, and sums up to the whole plan", () => {
    const all = estimate(plan, settings, [], new Set());
    const turns = [...all.servers, ...all.agents].reduce((sum, { seconds }) => sum + seconds, 0);
    const whole = totalSeconds(withExpectations(plan, settings));
    assert.equal(all.beforeSeconds + turns + all.settleSeconds + all.afterSeconds, whole);
    assert.equal(
      totalSeconds([
        { ...plan[0], together: "x", expectedSeconds: 5 },
        { ...plan[1], together: "x", phase: plan[0]?.phase, expectedSeconds: 7 },
      ] as never),
      7,
    );
  });

  it("counts a wave as its slowest node and then its own steps; preview, estimate and total agree", () => {
    const wide = parseSettings(lab({ rke2Version: "v1.36.3+rke2r1", agents: { maxUnavailable: 3 } }));
    const steps = withExpectations(planOf(wide), wide, [measured("proj-k8sw03", 200)]);
    const all = estimate(planOf(wide), wide, [measured("proj-k8sw03", 200)], new Set());
    assert.deepEqual(
      all.waves.map(({ nodes }) => nodes),
      [["proj-k8sw01"], ["proj-k8sw02", "proj-k8sw03"], ["proj-k8sw04"]],
    );
    const turn = (name: string) => all.agents.find(({ node }) => node === name)?.seconds ?? 0;
    const own = (id: string) => steps.find((one) => one.id === id)?.expectedSeconds ?? 0;
    const [canary, both, gpu] = all.waves.map(({ seconds }) => seconds);
    assert.equal(canary, turn("proj-k8sw01") + own("canary-soak"));
    assert.equal(both, Math.max(turn("proj-k8sw02"), turn("proj-k8sw03")) + own("wave-2-end"));
    assert.equal(gpu, turn("proj-k8sw04"));
    assert.ok(own("canary-soak") >= wide.waves.canarySoakSeconds);
    const parts = [...all.servers, ...all.waves].reduce((sum, { seconds }) => sum + seconds, 0);
    assert.equal(all.beforeSeconds + parts + all.settleSeconds + all.afterSeconds, totalSeconds(steps));
    const printed = describePlan(steps, "A", "B");
    assert.ok(printed.includes("Agents, in waves"));
    const told = printed.filter((line) => line.includes("  wave "));
    assert.deepEqual(told, [
      `  wave 1 of 3, the canary, 1 at once: proj-k8sw01: A → B (${duration(canary ?? 0)})`,
      `  wave 2 of 3, 2 at once: proj-k8sw02, proj-k8sw03: A → B (${duration(both ?? 0)})`,
      `  wave 3 of 3, 1 at once: proj-k8sw04: A → B (${duration(gpu ?? 0)})`,
    ]);
    assert.ok(printed.some((line) => /proj-k8sw02, proj-k8sw03: cordon/.test(line)));
  });

  it("leaves what is done out of a wave, and a wave that is done", () => {
    const wide = parseSettings(
      lab({ rke2Version: "v1.36.3+rke2r1", agents: { maxUnavailable: 2, canary: 0 } }),
    );
    const left = (...done: string[]) =>
      estimate(planOf(wide), wide, [], new Set(done)).waves.map(({ nodes }) => nodes);
    assert.deepEqual(left("proj-k8sw01"), [["proj-k8sw02"], ["proj-k8sw03"], ["proj-k8sw04"]]);
    assert.deepEqual(left("proj-k8sw01", "proj-k8sw02"), [["proj-k8sw03"], ["proj-k8sw04"]]);
  });

  it("leaves out what is done", () => {
    const left = estimate(plan, settings, [], new Set(settings.servers.map(({ name }) => name)));
    assert.deepEqual([left.servers, left.settleSeconds], [[], 0]);
    assert.equal(left.agents.length, 4);
    assert.ok(left.beforeSeconds < estimate(plan, settings, [], new Set()).beforeSeconds);
  });

  it("fits the lab's change into the procedure's four hours by the defaults alone", () => {
    const { servers, agents, ...rest } = estimate(plan, settings, [], new Set());
    const sum = [...servers, ...agents].reduce((total, { seconds }) => total + seconds, 0);
    const hours = (rest.beforeSeconds + sum + rest.settleSeconds + rest.afterSeconds) / 3600;
    assert.ok(hours < 4, `${hours} h`);
  });
});
