import assert from "node:assert/strict";
import { judgeRun, judgeTimingOfTurn, measuredIn } from "../../../components/judgement";
import { type Measured, parseSettings, type Settings } from "../../../config";
import { type Facts, type Finding, nodesOfTurn } from "../../../observe";
import { lab } from "../../config/lab";
import { clusterNode, FROM, facts, healthyNode, OWNER, pod, TO } from "../facts";

const withKeys = (keys: Record<string, unknown> = {}): Settings =>
  parseSettings(lab({ rke2Version: TO, acceptedVersion: FROM, ...keys }));
const settings = withKeys();
const at = (iso: string, changes: Parameters<typeof facts>[0] = {}): Facts => ({
  ...facts(changes),
  at: new Date(iso),
});
const SUNDAY = "2026-09-06T01:05:00Z";
const THURSDAY = "2026-09-03T09:00:00Z";

/** The findings about timing, by the end of their check's name. */
function timing(seen: Facts, by: Settings = settings): Map<string, Finding> {
  const findings = judgeRun(by, seen, OWNER, undefined).filter(({ check }) => check.startsWith("timing: "));
  return new Map(findings.map((finding) => [finding.check.slice("timing: ".length), finding]));
}
const verdict = (found: Map<string, Finding>, check: string) => found.get(check)?.verdict;

/** Every server done, as a run left it. */
function serversDone(iso: string): Facts {
  const seen = at(iso);
  const nodes = new Map(seen.nodes);
  for (const { name } of settings.servers)
    nodes.set(name, { value: { ...healthyNode, versionOnDisk: TO, versionRunning: TO } });
  return { ...seen, nodes };
}

describe("observe/checks/timing: before a run", () => {
  it("passes in the window, and tells the deadline, the length and what was measured", () => {
    const found = timing(at(SUNDAY));
    assert.deepEqual(
      [...found.values()].map((one) => one.verdict),
      ["pass", "pass", "pass", "pass", "pass", "pass"],
    );
    assert.match(found.get("deadline to decide to go back")?.found ?? "", /^Sun 2026-09-06 04:00 UTC: /);
    assert.match(
      found.get("the whole change")?.found ?? "",
      /expected, until about Sun 2026-09-06 0\d:\d\d UTC; 0 of \d+ steps/,
    );
  });

  it("fails on a Thursday, and judges the next window by its own length", () => {
    const found = timing(at(THURSDAY));
    const window = found.get("maintenance window");
    assert.equal(window?.verdict, "fail");
    assert.match(window?.found ?? "", /closed now, Thu .*the next opens Sun 2026-09-06 01:00 UTC/);
    assert.match(window?.next ?? "", /windowOverride' CR-2026-041/);
    assert.equal(verdict(found, "all servers and their rollback fit"), "pass");
  });

  it("lets the change that is named leave its window, with a warning", () => {
    const found = timing(at(THURSDAY), withKeys({ windowOverride: "CR-2026-041" }));
    assert.equal(verdict(found, "maintenance window"), "warn");
    assert.ok(![...found.values()].some((one) => one.verdict === "fail"));
  });

  it("does not begin the servers where they and their rollback no longer fit", () => {
    const found = timing(at("2026-09-06T03:30:00Z"));
    assert.equal(verdict(found, "maintenance window"), "pass");
    const fit = found.get("all servers and their rollback fit");
    assert.equal(fit?.verdict, "fail");
    assert.match(fit?.found ?? "", /60 min to go back; 90 min left/);
  });

  it("names the agents that are left for another window, and goes on with them alone in a short one", () => {
    const late = timing(at("2026-09-06T03:20:00Z")).get("the whole change");
    assert.equal(late?.verdict, "warn");
    assert.match(late?.found ?? "", /left for another window: .*proj-k8sw04/);
    const short = withKeys({ windows: [{ days: ["sun"], start: "01:00", end: "02:00" }] });
    assert.equal(verdict(timing(at(SUNDAY), short), "maintenance window"), "fail");
    const agents = timing(serversDone(SUNDAY), short);
    assert.equal(verdict(agents, "maintenance window"), "pass");
    assert.equal(verdict(agents, "the next agent fits"), "pass");
    assert.equal(verdict(timing(serversDone("2026-09-06T01:55:00Z"), short), "the next agent fits"), "fail");
  });

  it("is silent where nothing is under way", () => {
    const settled = parseSettings(lab({ rke2Version: FROM, acceptedVersion: FROM }));
    assert.deepEqual([...timing(at(THURSDAY), settled)], []);
  });

  it("uses what the nodes remember of earlier runs", () => {
    const durations = settings.servers.map(({ name }) => ({ step: "restart", node: name, seconds: 20 }));
    const quick = timing(at(SUNDAY, { node: ["proj-k8sm01", { durations }] })).get("the whole change");
    assert.match(quick?.found ?? "", /; 3 of \d+ steps measured here before/);
  });
});

describe("observe/checks/timing: before a node's turn", () => {
  const node = (name: string) => settings.nodes.find((one) => one.name === name) as Settings["nodes"][number];
  const verdicts = (seen: Facts, name: string, by = settings) =>
    judgeTimingOfTurn(by, seen, node(name)).map((one) => one.verdict);

  it("holds an agent whose turn no longer fits, with every started node finished", () => {
    assert.deepEqual(verdicts(serversDone("2026-09-06T04:30:00Z"), "proj-k8sw01"), ["pass", "pass"]);
    const [held] = judgeTimingOfTurn(settings, serversDone("2026-09-06T04:50:00Z"), node("proj-k8sw01"));
    assert.equal(held?.verdict, "fail");
    assert.match(held?.found ?? "", /the window closes at Sun 2026-09-06 05:00 UTC/);
    assert.match(
      held?.next ?? "",
      /held with every started node finished: the next window opens Sun 2026-09-13 01:00 UTC; run pulumi up then/,
    );
  });

  it("expects of a turn what the preview expected, of what it reads itself and of what the preflight has read", () => {
    const record = (step: string, name: string) => ({ step, node: name, seconds: 7 });
    const w01 = "proj-k8sw01";
    // What is done on the node lies there, what is done about it on its helper; another agent's on that one.
    const memories: Record<string, string[]> = {
      [w01]: ["restart"],
      "proj-k8sm01": ["drain", "cordon", "uncordon", "verify-cluster", "gate-cluster"],
      "proj-k8sw02": ["install-release"],
    };
    const seen = at(SUNDAY);
    const nodes = new Map(
      [...seen.nodes].map(([name, look]) => {
        const about = name === "proj-k8sw02" ? name : w01;
        const durations = (memories[name] ?? []).map((step) => record(step, about));
        return [name, "value" in look ? { value: { ...look.value, durations } } : look] as const;
      }),
    );
    const all = { ...seen, nodes };
    const read = new Set(nodesOfTurn(settings, node(w01)).map(({ name }) => name));
    const some = { ...seen, nodes: new Map([...nodes].filter(([name]) => read.has(name))) };
    const needs = (facts: Facts, before: Measured[] = []) =>
      judgeTimingOfTurn(settings, facts, node(w01), before)[0]?.found.split(";")[0];
    assert.notEqual(needs(some), needs(at(SUNDAY)));
    assert.equal(needs(some, measuredIn(all)), needs(all));
    assert.match(needs(all) ?? "", /^needs 2 min /);
  });

  it("past the deadline asks for the decision, in the middle of the servers", () => {
    const seen = at("2026-09-06T03:55:00Z", {
      node: ["proj-k8sm01", { versionOnDisk: TO, versionRunning: TO }],
    });
    const [late] = judgeTimingOfTurn(settings, seen, node("proj-k8sm02"));
    assert.equal(late?.verdict, "fail");
    assert.match(late?.next ?? "", /decide now: go back, or/);
  });

  it("finishes a node that is in its turn, whatever the clock and the workloads say", () => {
    const marked = clusterNode("proj-k8sw01", {
      metadata: { name: "proj-k8sw01", annotations: { "rke2-upgrade/working": settings.changeId } },
    });
    assert.deepEqual(verdicts(at(THURSDAY, { cluster: { nodes: [marked] } }), "proj-k8sw01"), []);
  });

  it("holds a node under a critical workload, a server too, and only warns of it before", () => {
    const critical = [pod("correlator", "proj-k8sm02"), pod("beam", "proj-k8sw02")];
    const seen = at(SUNDAY, { cluster: { critical } });
    const before = timing(seen).get("critical workloads");
    assert.equal(before?.verdict, "warn");
    assert.equal(before?.found, "running: lab/correlator on proj-k8sm02; lab/beam on proj-k8sw02");
    assert.deepEqual(verdicts(seen, "proj-k8sm02"), ["pass", "fail"]);
    assert.deepEqual(verdicts(seen, "proj-k8sm01"), ["pass", "pass"]);
    const [, held] = judgeTimingOfTurn(settings, seen, node("proj-k8sm02"));
    assert.match(held?.next ?? "", /kubectl get pods -A -l 'radioastronomy\.io\/critical=true'/);
  });
});
