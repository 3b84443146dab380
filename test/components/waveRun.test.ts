import assert from "node:assert/strict";
import fc from "fast-check";
import type { PlannedStep } from "../../components/turns";
import { type Failures, runTurn, type TurnWork, waveRefusal } from "../../components/waveRun";

const STEPS = ["gate-cluster", "cordon", "install", "uncordon"].map(
  (id) => ({ id, title: id }) as PlannedStep,
);

/** A wave of nodes, each of which fails at one point or none: -1 its gate, 0… its steps. */
interface Scene {
  readonly failsAt: readonly (number | undefined)[];
  /** How long each node's gate takes, in turns of the event loop. */
  readonly delays: readonly number[];
}

const scene: fc.Arbitrary<Scene> = fc.integer({ min: 2, max: 5 }).chain((width) =>
  fc.record({
    failsAt: fc.array(fc.option(fc.integer({ min: -1, max: STEPS.length - 1 }), { nil: undefined }), {
      minLength: width,
      maxLength: width,
    }),
    delays: fc.array(fc.integer({ min: 0, max: 6 }), { minLength: width, maxLength: width }),
  }),
);

const tick = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Plays a wave. @returns what each did, and in which order things happened */
async function play({ failsAt, delays }: Scene, isWanted = async () => true) {
  const names = failsAt.map((_, i) => `w${i + 1}`);
  const failures: Failures = new Map();
  const events: { node: string; what: string }[] = [];
  const left = await Promise.all(
    names.map((node, i) => {
      const work: TurnWork = {
        node,
        fellows: names.filter((name) => name !== node),
        steps: STEPS,
        async ask() {
          for (let n = 0; n < (delays[i] ?? 0); n++) await tick();
          if (failsAt[i] === -1) throw new Error("the gate refused");
          return { found: [], askedAt: "", askedBy: "", cost: {} as never };
        },
        async run(step) {
          events.push({ node, what: step.id });
          await tick();
          if (STEPS[failsAt[i] ?? -2]?.id === step.id) {
            events.push({ node, what: "failed" });
            throw new Error(`${step.id} failed`);
          }
          return `{"step":"${step.id}"}`;
        },
        isWanted,
        tell: async () => {},
        warn: async () => {},
      };
      return runTurn(work, failures);
    }),
  );
  return { names, failures, events, left };
}

describe("components/waveRun", () => {
  it("lets every turn that has begun go to its end or its own failure, whatever its fellows do", async () => {
    await fc.assert(
      fc.asyncProperty(scene, async (played) => {
        const { names, left, events } = await play(played);
        for (const [i, node] of names.entries()) {
          const did = events.filter((event) => event.node === node).map(({ what }) => what);
          const end = played.failsAt[i] ?? STEPS.length - 1;
          if (did.length > 0)
            assert.deepEqual(
              did.filter((what) => what !== "failed"),
              STEPS.slice(0, end + 1).map(({ id }) => id),
            );
          assert.equal(left[i]?.failed === "", did.length > 0 && played.failsAt[i] === undefined);
        }
      }),
    );
  });

  it("begins none after the first failure", async () => {
    await fc.assert(
      fc.asyncProperty(scene, async (played) => {
        const { events } = await play(played);
        const first = events.findIndex(({ what }) => what === "failed");
        if (first < 0) return;
        const later = events.slice(first).filter(({ what }) => what === STEPS[0]?.id);
        assert.deepEqual(later, []);
      }),
    );
  });

  it("tells every failure with its next move, and who was not begun", async () => {
    const { names, failures } = await play({ failsAt: [1, undefined, undefined], delays: [0, 0, 9] });
    const said = waveRefusal(names, failures, ["w1", "w3"]) ?? "";
    assert.match(said, /2 of the wave's 3 agents are not done: w1, w3/);
    assert.match(said, /- w1: cordon failed/);
    assert.match(said, /- w3: not begun: w1 failed first\n {2}next: /);
    assert.doesNotMatch(said, /- w2/);
  });

  it("passes a wave only where nothing failed and the cluster shows all as done", () => {
    assert.equal(waveRefusal(["a", "b"], new Map(), []), undefined);
    assert.match(waveRefusal(["a", "b"], new Map(), ["b"]) ?? "", /- b: not on the wanted version/);
    assert.match(waveRefusal(["a", "b"], new Map([["a", "why"]]), []) ?? "", /- a: why/);
  });

  it("stops between two steps where the engine is gone: the next run goes on", async () => {
    let asked = 0;
    const { left, events } = await play({ failsAt: [undefined], delays: [0] }, async () => ++asked <= 2);
    assert.deepEqual(
      events.map(({ what }) => what),
      ["gate-cluster", "cordon"],
    );
    assert.match(left[0]?.failed ?? "", /engine of this run is gone/);
  });
});
