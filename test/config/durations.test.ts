import assert from "node:assert/strict";
import fc from "fast-check";
import { planOf } from "../../components/plan";
import { agentTurn, serverTurn } from "../../components/turns";
import { type ClusterNode, parseSettings } from "../../config";
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
