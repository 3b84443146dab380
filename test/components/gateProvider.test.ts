import assert from "node:assert/strict";
import type { GateAnswer } from "../../components/gateAnswer";
import { gateProvider } from "../../components/gateProvider";
import { spend } from "../../observe/cost";

describe("components/gateProvider", () => {
  const answer = (found: string): GateAnswer => ({
    found: [found],
    askedAt: "",
    askedBy: "alice at ops1",
    cost: { sshSessions: 1, apiCalls: 10, seconds: 0.5 },
  });
  const asked: string[] = [];
  let done = false;
  let looking = 0;
  const provider = gateProvider<{ node: string; attempt: number; note: string }>({
    id: ({ node }) => `gate-${node}`,
    compares: ["node", "attempt"],
    isDone: async (_inputs, { node }) => {
      spend("sshSessions", looking);
      return done && node !== "unknown";
    },
    async ask({ node }) {
      asked.push(node);
      if (node === "sick") throw new Error("sick does not hold");
      return answer(node);
    },
  });
  const inputs = { node: "a", attempt: 1, note: "" };
  const changes = async (news: Partial<typeof inputs>) =>
    (await provider.diff?.("gate-a", { ...inputs, ...answer("a") }, { ...inputs, ...news }))?.changes;

  beforeEach(() => {
    asked.length = 0;
    done = false;
    looking = 0;
  });

  it("asks when it is made and at each update, and keeps the answer beside its inputs", async () => {
    const made = await provider.create(inputs);
    assert.equal(made.id, "gate-a");
    assert.deepEqual(made.outs, { ...inputs, ...answer("a") });
    const updated = await provider.update?.("gate-a", made.outs as never, { ...inputs, attempt: 2 });
    assert.deepEqual(updated?.outs, { ...inputs, attempt: 2, ...answer("a") });
    assert.deepEqual(asked, ["a", "a"]);
  });

  it("is asked anew until it is done, then only where what it compares has changed", async () => {
    assert.equal(await changes({}), true);
    done = true;
    assert.equal(await changes({}), false);
    assert.equal(await changes({ note: "other" }), false);
    assert.equal(await changes({ attempt: 2 }), true);
    const left = { ...inputs, node: "unknown", ...answer("a") };
    assert.equal((await provider.diff?.("gate-a", left, { ...inputs, node: "unknown" }))?.changes, true);
  });

  it("bears what it cost to look whether it is done, and so those before it that were passed by; once", async () => {
    const cost = async () => {
      const updated = await provider.update?.("gate-a", { ...inputs, ...answer("a") }, inputs);
      return (updated?.outs as GateAnswer | undefined)?.cost.sshSessions;
    };
    await cost();
    done = true;
    looking = 7;
    await changes({});
    done = false;
    looking = 2;
    await changes({});
    assert.equal(await cost(), 7 + 2 + 1);
    assert.equal(await cost(), 1);
  });

  it("stops the run by what its question throws", async () => {
    await assert.rejects(provider.create({ ...inputs, node: "sick" }), /sick does not hold/);
  });
});
