import assert from "node:assert/strict";
import fc from "fast-check";
import { type StepEvent, stepEvent } from "../../../report/live/engineEvents";
import { ifItFails } from "../../../report/live/ifItFails";
import {
  advance,
  nodeState,
  type Progress,
  position,
  progressOf,
  STATES,
} from "../../../report/live/progress";
import { begun, ended, nodeDone } from "../../../report/live/runEvents";
import { planned, settingsOf, TO } from "../fixtures";

const settings = settingsOf();
const plan = planned(settings);
const ids = new Set(plan.steps.map(({ id }) => id));
const NONE: Progress = new Map();
const [first = "", second = ""] = plan.nodes.map(({ name }) => name);
const urn = (type: string, name: string) => `urn:pulumi:lab::rke2-upgrade::${type}::${name}`;
const COMMAND = "command:remote:Command";

/** As the engine sends them (apitype.EngineEvent), a step at a time. */
const sent = (
  kind: "resourcePreEvent" | "resOutputsEvent" | "resOpFailedEvent",
  name: string,
  timestamp: number,
  { op = "create", type = COMMAND } = {},
) => ({
  sequence: timestamp,
  timestamp,
  [kind]: {
    metadata: { op, urn: urn(type, name), type, old: null, new: { inputs: { stdin: "#!/bin/bash" } } },
  },
});

const heard = (...events: object[]): StepEvent[] => events.flatMap((event) => stepEvent(event) ?? []);
const by = (events: readonly StepEvent[], from = NONE): Progress =>
  events.reduce((progress, event) => advance(progress, ids, event), from);

/** Every word on the whole of a node's turn. */
const turnOf = (node: string, op = "create") =>
  plan.steps
    .filter((step) => step.node === node && step.phase === "servers")
    .flatMap(({ id }, i) =>
      heard(
        sent("resourcePreEvent", id, 1000 + 10 * i, { op }),
        sent("resOutputsEvent", id, 1009 + 10 * i, { op }),
      ),
    );

describe("report/live/engineEvents", () => {
  it("takes a name, a moment and what became of it, and nothing else of an event", () => {
    const [event] = heard(sent("resourcePreEvent", "preflight", 7));
    assert.deepEqual(event, { at: 7000, name: "preflight", what: "begun", worked: true });
  });

  it("hears nothing in what is no step: a component, the stack, a provider, a deletion, another event", () => {
    const no = (type: string, op = "create") => sent("resOutputsEvent", "manifest", 1, { type, op });
    const component = no("rke2:components:Manifest");
    const others = [
      { timestamp: 1, preludeEvent: { config: {} } },
      { timestamp: 1, cancelEvent: {} },
      {},
      "x",
      null,
    ];
    assert.deepEqual(
      [
        component,
        no("pulumi:pulumi:Stack"),
        no("pulumi:providers:command"),
        no(COMMAND, "delete"),
        ...others,
      ].map(stepEvent),
      Array(9).fill(undefined),
    );
  });
});

describe("report/live: a turn in a wave", () => {
  const said = (message: string, timestamp: number) => ({
    timestamp,
    diagnosticEvent: { message: `<{%reset%}>${message}<{%reset%}>\n`, severity: "info" },
  });
  const TURN = "pulumi-nodejs:dynamic/rke2:WaveTurn";
  const steps = plan.steps.filter(({ node, phase }) => node === "proj-k8sw02" && phase === "agents");

  it("follows it by what it tells, a step at a time", () => {
    const begun = by(heard(sent("resourcePreEvent", "proj-k8sw02-turn", 1, { type: TURN })));
    assert.equal(nodeState(plan, begun, "proj-k8sw02"), "waiting");
    const words = heard(
      ...steps.flatMap(({ id }, i) => [said(`${id}: begun`, 2 * i), said(`${id}: done`, 2 * i + 1)]),
    );
    assert.equal(nodeState(plan, by(words.slice(0, 5)), "proj-k8sw02"), "at work");
    assert.equal(nodeState(plan, by(words), "proj-k8sw02"), "done");
    assert.equal(nodeState(plan, by(words), "proj-k8sw03"), "waiting");
  });

  it("hears of a node whose name has a domain", () => {
    const [event] = heard(said("w1.example.org-drain: begun", 3));
    assert.deepEqual([event?.name, event?.what], ["w1.example.org-drain", "begun"]);
  });

  it("knows of its failure though the engine calls it done, and of one that an earlier run did", () => {
    const failed = by(
      heard(
        said(
          "proj-k8sw02-drain: failed; fellows that have begun finish their turns. host: drain: a budget",
          3,
        ),
        sent("resOutputsEvent", "proj-k8sw02-turn", 4, { type: TURN }),
      ),
    );
    assert.equal(nodeState(plan, failed, "proj-k8sw02"), "failed");
    const found = by(heard(sent("resOutputsEvent", "proj-k8sw02-turn", 4, { type: TURN, op: "same" })));
    assert.equal(nodeState(plan, found, "proj-k8sw02"), "done");
    assert.equal(nodeState(plan, found, "proj-k8sw03"), "waiting");
  });

  it("hears no step in any other message", () => {
    for (const message of ["proj-k8sw02-drain: a done deal", "x proj-k8sw02-drain: done", "checks: 12", ""])
      assert.deepEqual(heard(said(message, 1)), []);
    assert.equal(by(heard(said("stranger: done", 1))).size, 0);
  });
});

describe("report/live/progress", () => {
  it("follows a node through its turn", () => {
    const words = turnOf(first);
    assert.equal(nodeState(plan, NONE, first), "waiting");
    const states = words.map((_, i) => nodeState(plan, by(words.slice(0, i + 1)), first));
    assert.deepEqual([states[0], states.at(-2), states.at(-1)], ["at work", "at work", "done"]);
    assert.equal(nodeState(plan, by(words), second), "waiting");
    assert.deepEqual(position(plan, by(words)), { done: words.length / 2, of: plan.steps.length });
  });

  it("knows the steps whose resources bear a component's name, and nobody else's resources", () => {
    const progress = by(
      heard(sent("resOutputsEvent", "way-back-etcd-backup", 5), sent("resOutputsEvent", "stranger", 5)),
    );
    assert.deepEqual([...progress.keys()], ["etcd-backup"]);
  });

  const names = plan.steps.slice(0, 6).map(({ id }) => id);
  const word: fc.Arbitrary<StepEvent> = fc.record({
    at: fc.integer({ min: 0, max: 1000 }),
    name: fc.constantFrom(...names),
    what: fc.constantFrom("begun", "done", "failed"),
    worked: fc.boolean(),
  });

  it("is the same whatever order the words come in, and however often", () => {
    fc.assert(
      fc.property(fc.array(word), fc.infiniteStream(fc.nat()), (words, random) => {
        const shuffled = words.map((one) => ({ one, by: random.next().value })).sort((a, b) => a.by - b.by);
        const expected = new Map([...by(words)].sort());
        assert.deepEqual(new Map([...by(shuffled.map(({ one }) => one))].sort()), expected);
        assert.deepEqual(new Map([...by(words, by(words))].sort()), expected);
      }),
    );
  });

  it("never goes backward", () => {
    fc.assert(
      fc.property(fc.array(word), word, (words, next) => {
        const [before, now] = [by(words), by([next], by(words))];
        for (const id of names) {
          const rank = (progress: Progress) => STATES.indexOf(progressOf(progress, id).state);
          assert.ok(rank(now) >= rank(before));
        }
      }),
    );
  });
});

describe("report/live/runEvents", () => {
  const at = "2026-11-24T12:00:00.000Z";

  it("tells of a node once, when it is done", () => {
    const words = turnOf(first);
    let progress = NONE;
    const told = words.flatMap((word) => {
      const before = progress;
      progress = advance(progress, ids, word);
      return nodeDone(plan, first, before, progress, at) ?? [];
    });
    assert.equal(told.length, 1);
    assert.equal(
      told[0]?.text,
      `${first} is proven on ${TO}; 1 of ${plan.nodes.length} nodes are done, next is ${second}`,
    );
    assert.equal(nodeDone(plan, first, progress, by(words, progress), at), undefined);
  });

  it("does not tell again of a node that an earlier run has done, though its gate is asked anew", () => {
    const [gate, ...rest] = turnOf(first, "same");
    const words = [...rest, { ...(gate as StepEvent), worked: true }, ...turnOf(first, "same").slice(0, 2)];
    assert.equal(nodeState(plan, by(words), first), "done");
    assert.equal(nodeDone(plan, first, NONE, by(words), at), undefined);
  });

  it("begins as what it is", () => {
    assert.equal(begun(plan, at, 1, "alice").kind, "start");
    assert.equal(begun({ ...plan, direction: "going back" }, at, 2, "alice").kind, "rollback");
  });

  it("tells a gate that held from a step that failed, each with its node", () => {
    const ending = (...events: object[]) => ended(plan, by(heard(...events)), at, 1, ["x (y): it\n  broke"]);
    const held = ending(sent("resOpFailedEvent", `${second}-turn-gate`, 9, { op: "update" }));
    assert.deepEqual([held.kind, held.node], ["held", second]);
    assert.match(held.text, /-turn-gate: x \(y\): it broke; next: /);
    const failed = ending(sent("resOpFailedEvent", `${first}-restart`, 9));
    assert.deepEqual([failed.kind, failed.node], ["failed", first]);
    const preflight = ending(sent("resOpFailedEvent", "preflight", 9));
    assert.deepEqual([preflight.kind, "node" in preflight], ["held", false]);
    assert.equal(ended(plan, NONE, at, 1, []).kind, "failed");
    assert.equal(ended(plan, NONE, at, 0, []).kind, "done");
  });
});

describe("report/live/ifItFails", () => {
  const now = new Date("2026-11-29T22:00:00Z");
  const of = (progress: Progress, takenAt?: Date, more = {}) =>
    ifItFails(settingsOf(more), plan, progress, now, takenAt);

  it("loses nothing before a node is touched: a gate only asks", () => {
    for (const progress of [NONE, by(turnOf(first).slice(0, 2))]) {
      const { next, lost } = of(progress);
      assert.equal(next.length, 1);
      assert.match(lost, /nothing: no node has been touched/);
    }
  });

  it("names the way back that fits once one is, with its commands and what it loses", () => {
    const { next, lost, snapshotAgeSeconds, objectiveSeconds } = of(
      by(turnOf(first).slice(0, -1)),
      new Date(now.getTime() - 600_000),
    );
    assert.match(next[0] ?? "", /stops at .*stay untouched/);
    assert.match(next.join("\n"), /pulumi config set --path 'rke2-upgrade:goBack\.strategy' restore/);
    assert.match(lost, /every object written since the etcd snapshot \(10 min old now/);
    assert.deepEqual([snapshotAgeSeconds, objectiveSeconds], [600, 900]);
  });

  it("counts the window's minutes", () => {
    const windows = [{ days: ["sun"], start: "21:00", end: "23:30", timeZone: "UTC" }];
    assert.equal(of(NONE, undefined, { windows }).windowMinutesLeft, 90);
    const closed = of(NONE, undefined, { windows: [{ ...windows[0], days: ["mon"] }] });
    assert.deepEqual([closed.windowMinutesLeft, closed.window], [undefined, "closed"]);
  });
});
