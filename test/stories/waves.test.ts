/**
 * Eight agents, one at a time, in waves of four and of two, judged from the cluster's own history. One story in order, on the
 * lab of rehearsal/stacks/Pulumi.waves.yaml (`npm test -- waves`): the servers once, then each width from that moment. One
 * at a time they are measured; then each width is forecast from that before it begins.
 */
import assert from "node:assert/strict";
import { before, describe, it } from "mocha";
import { planOf } from "../../components/plan";
import { estimate, type Measured, type Settings, wavesOf } from "../../config";
import { setFault } from "../../rehearsal/lab/faults";
import { rehearsalStack } from "../../rehearsal/lab/info";
import { evidenceOf } from "../../report/evidence";
import type { Resource } from "../../report/evidenceSchema";
import { turnOf } from "../../report/lanes";
import { readStack } from "../../report/stackConfig";
import { exportSchema } from "../../report/state";
import { timeOf } from "../../report/steps";
import { checkpoint, from, killedAt, upWell } from "../e2e/back";
import { info, restarts, versions } from "../e2e/history";
import { configure, ok, run, startUp, up } from "../e2e/operator";
import { printed, watch } from "../e2e/watch";

const FROM = "v1.35.4+rke2r1";
const TO = "v1.36.3+rke2r1";
const SERVERS = ["proj-k8sm01", "proj-k8sm02", "proj-k8sm03"];
const w = (n: number) => `proj-k8sw0${n}`;
const AGENTS = [1, 2, 3, 4, 5, 6, 7, 8].map(w);
/** How far the measured time may be from the forecast. */
const TOLERANCE = 0.15;

const settingsNow = (): Settings => readStack(rehearsalStack).settings;

/** What every step and every gate left in the state. */
async function evidence(): Promise<Resource[]> {
  const { deployment } = exportSchema.parse(JSON.parse(await ok("pulumi", "stack", "export")));
  const { resources } = deployment;
  return evidenceOf({ changeId: "CR-2026-042", stack: rehearsalStack, resources, history: [], runs: [] })
    .resources;
}

/** How long each step took, as the nodes and the gates of a run that is over measured it. */
const measuredIn = (resources: readonly Resource[]): Measured[] =>
  resources.flatMap(({ name, kind, result }): Measured[] => {
    if (typeof result?.seconds !== "number") return [];
    if (kind === "Command")
      return [{ step: String(result.step), node: String(result.node), seconds: result.seconds }];
    return kind === "TurnGate"
      ? [{ step: "turn-gate", node: turnOf(name) ?? "", seconds: result.seconds }]
      : [];
  });

/** What preview would say of the agents' waves, asked before they begin, by what an earlier run measured. */
function forecast(measured: readonly Measured[]): number {
  const settings = settingsNow();
  const { waves } = estimate(planOf(settings), settings, measured, new Set(SERVERS));
  return waves.reduce((sum, { seconds }) => sum + seconds, 0);
}

/** How long the agents took from their first question to the last word of all, soaks included, against the forecast. */
async function comparedWith(planned: number): Promise<void> {
  const times = (await evidence())
    .filter(({ name }) => AGENTS.includes(turnOf(name) ?? ""))
    .map(timeOf)
    .flatMap(({ startedAt, endedAt }) => (startedAt && endedAt ? [{ startedAt, endedAt }] : []));
  const first = Math.min(...times.map(({ startedAt }) => Date.parse(startedAt)));
  const last = Math.max(...times.map(({ endedAt }) => Date.parse(endedAt)));
  const took = (last - first) / 1000;
  const off = took / planned - 1;
  console.log(`    planned ${planned} s, took ${took.toFixed(0)} s (${(100 * off).toFixed(0)} %)`);
  assert.ok(Math.abs(off) <= TOLERANCE, `planned ${planned} s, took ${took} s`);
}

/** Runs something and judges from outside what it did to the cluster: how many were away, where, and every budget. */
async function watched(most: number, action: () => Promise<void>): Promise<void> {
  const hosts = new Map(settingsNow().agents.map(({ name, proxmoxNode }) => [name, proxmoxNode]));
  const agents = (await info()).nodes.filter(({ role }) => role === "agent").map(({ name }) => name);
  const began = new Date();
  const watching = watch();
  await action().catch(async (error) => {
    await watching.stop();
    throw error;
  });
  const samples = await watching.stop();
  let widest = 0;
  for (const { at, notReady, cordoned, violated } of samples) {
    const when = new Date(at).toISOString();
    const away = agents.filter((name) => notReady.includes(name) || cordoned.includes(name));
    widest = Math.max(widest, away.length);
    assert.ok(away.length <= most, `${away.join(", ")} away at ${when}`);
    assert.equal(
      new Set(away.map((name) => hosts.get(name))).size,
      away.length,
      `two of one host: ${away.join(", ")} at ${when}`,
    );
    assert.deepEqual(violated, [], when);
    assert.deepEqual(
      notReady.filter((name) => !agents.includes(name)),
      [],
      when,
    );
  }
  assert.ok(samples.length > 20, "the cluster was not watched");
  assert.equal(widest, most, "so many never went together");
  // What systemd wrote on the nodes themselves: a look a second could miss a short restart.
  const spans = (await Promise.all(agents.map((name) => restarts(name, "agent", began)))).flat();
  for (const one of spans) {
    const during = spans.filter((other) => other.from < one.to && one.from < other.to);
    const names = [...new Set(during.map(({ node }) => node))];
    assert.ok(names.length <= most, `${names.join(", ")} restarted together`);
    assert.equal(new Set(names.map((name) => hosts.get(name))).size, names.length, names.join(", "));
  }
}

const agentsOn = async (version: string): Promise<string[]> => {
  const now = await versions();
  return AGENTS.filter((name) => now[name] === version);
};

describe("eight agents", function () {
  this.timeout(20 * 60_000);
  this.bail(true);

  /** One at a time, nothing beside it: what every forecast goes by. */
  let measured: Measured[] = [];

  before(async () => {
    const names = (await info()).nodes.map(({ name }) => name);
    assert.deepEqual(
      names,
      [...SERVERS, ...AGENTS],
      "this story has a lab of its own. next: npm test -- waves",
    );
    // Waits of a set length are shorter than their defaults, so that the story stays short. What takes less than a second
    // counts as one: the forecast knows no less.
    await configure({
      "limits.soakServerSeconds": "5",
      "limits.soakAgentSeconds": "10",
      "agents.canarySoakSeconds": "20",
      "restoreTest.enabled": "false",
      "durations.gateSeconds": "1",
      "durations.installSeconds": "1",
      "durations.verifySeconds": "1",
    });
    await upWell();
  });

  it("has its servers done, and its first agent held: the moment from which every width begins", async () => {
    await configure({ rke2Version: TO });
    const running = await startUp();
    await printed(running, /proj-k8sm03-restart.* creat/, 15);
    await setFault(["volume-degraded", "on"]);
    try {
      const { code, output } = await running.ended;
      assert.notEqual(code, 0, output);
      assert.match(output, /proj-k8sw01 was not touched: .*cluster: storage/s);
    } finally {
      await setFault(["volume-degraded", "off"]);
    }
    assert.deepEqual(await agentsOn(FROM), AGENTS);
    await checkpoint("waves-agents");
  });

  it("is strictly serial where nothing is said, and measures each step", async () => {
    await watched(1, async () => {
      await upWell();
    });
    assert.deepEqual(await agentsOn(TO), AGENTS);
    measured = measuredIn(await evidence());
    for (const step of ["turn-gate", "drain", "restart", "verify-cluster"])
      for (const name of AGENTS)
        assert.ok(
          measured.some((one) => one.step === step && one.node === name),
          `${step} of ${name}`,
        );
  });

  it("takes as long one at a time as was forecast", async () => {
    await from("waves-agents");
    const planned = forecast(measured);
    await upWell();
    await comparedWith(planned);
  });

  it("shows in preview who goes together, in which order, and how long each wave should take", async () => {
    await from("waves-agents");
    await configure({ "agents.maxUnavailable": "4" });
    const { code, output } = await run(["pulumi", "preview", "--non-interactive", "--color=never"]);
    assert.equal(code, 0, output);
    for (const line of [
      /wave 1 of 4, the canary, 1 at once: proj-k8sw01: v1\.35\.4\+rke2r1 → v1\.36\.3\+rke2r1 \(/,
      /wave 2 of 4, 4 at once: proj-k8sw02, proj-k8sw04, proj-k8sw06, proj-k8sw07: /,
      /wave 3 of 4, 2 at once: proj-k8sw03, proj-k8sw05: /,
      /wave 4 of 4, 1 at once: proj-k8sw08: /,
      /proj-k8sw02, proj-k8sw04, proj-k8sw06, proj-k8sw07: room for their pods/,
    ])
      assert.match(output, line);
    assert.doesNotMatch(output, /FAIL|NOT MEASURED/);
  });

  it("goes in waves of four, never more away, never two of one host, every budget kept, in the time that was forecast", async () => {
    const planned = forecast(measured);
    await watched(4, async () => {
      await upWell();
    });
    assert.deepEqual(await agentsOn(TO), AGENTS);
    await comparedWith(planned);
  });

  it("changes nothing when it is run again", async () => {
    const { output } = await upWell();
    assert.doesNotMatch(output, /\d+ (created|updated|replaced|deleted)/);
  });

  it("goes in waves of two, in the time that was forecast", async () => {
    await from("waves-agents");
    await configure({ "agents.maxUnavailable": "2" });
    const planned = forecast(measured);
    await watched(2, async () => {
      await upWell();
    });
    assert.deepEqual(await agentsOn(TO), AGENTS);
    await comparedWith(planned);
  });

  it("lets fellows finish where one of a wave of two fails, and later waves alone; a plain up goes on", async () => {
    await from("waves-agents");
    await configure({ "agents.maxUnavailable": "2" });
    const waves = wavesOf(settingsNow()).map(({ nodes }) => nodes.map(({ name }) => name));
    assert.deepEqual(waves, [[w(1)], [w(2), w(4)], [w(3), w(5)], [w(6), w(7)], [w(8)]]);
    await setFault(["service-fails", w(4), "on"]);
    await watched(2, async () => {
      const { code, output } = await up();
      await setFault(["service-fails", w(4), "off"]);
      assert.notEqual(code, 0, output);
      assert.match(output, /1 of the wave's 2 agents are not done: proj-k8sw04\./);
      assert.match(output, /rke2-agent\.service does not come up on v1\.36\.3.*\n\s*next: /s);
      const now = await versions();
      assert.equal(now[w(2)], TO, "the fellow did not finish");
      const later = waves.slice(2).flat();
      assert.deepEqual(
        later.map((name) => now[name]),
        later.map(() => FROM),
      );
      const cordoned = await ok(
        "kubectl",
        "get",
        "nodes",
        "--field-selector=spec.unschedulable=true",
        "-o",
        "name",
      );
      assert.equal(cordoned.trim(), `node/${w(4)}`);
      // A plain up is past that wave once the next one begins: further it need not go.
      await killedAt(/proj-k8sw03-turn-gate: begun/);
    });
    const now = await versions();
    assert.deepEqual([now[w(2)], now[w(4)]], [TO, TO]);
  });
});
