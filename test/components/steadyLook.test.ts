import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { judgeSteadily } from "../../components/steadyLook";
import type { Finding } from "../../observe";

const finding = (verdict: Finding["verdict"], momentary?: true): Finding => ({
  check: "c",
  found: "f",
  wanted: "w",
  verdict,
  ...(momentary && { momentary }),
});

/** Answers in turn; tells how often it was asked. */
async function asked(...answers: Finding[][]) {
  return askedFor({}, ...answers);
}

async function askedFor(options: { recoveringMs?: number }, ...answers: Finding[][]) {
  let looks = 0;
  const { findings } = await judgeSteadily(
    async () => answers[looks++] ?? [],
    (seen) => seen,
    { pauseMs: 0, ...options },
  );
  return { looks, findings };
}

describe("a gate's look", () => {
  it("is one where nothing stops the run", async () => {
    assert.deepEqual(await asked([finding("pass"), finding("warn", true)]), {
      looks: 1,
      findings: [finding("pass"), finding("warn", true)],
    });
  });

  it("is repeated for a slow moment or a missing answer, and the second is believed", async () => {
    assert.deepEqual(await asked([finding("fail", true)], [finding("pass")]), {
      looks: 2,
      findings: [finding("pass")],
    });
    assert.deepEqual(await asked([finding("not measured")], [finding("not measured")]), {
      looks: 2,
      findings: [finding("not measured")],
    });
  });

  it("goes on for as long as a cluster that was just woken may take", async () => {
    const recovering = [[finding("fail")], [finding("fail")], [finding("fail")], [finding("pass")]];
    assert.deepEqual(await askedFor({ recoveringMs: 60_000 }, ...recovering), {
      looks: 4,
      findings: [finding("pass")],
    });
  });

  it("is not repeated where something stops the run that no moment explains", async () => {
    assert.equal((await asked([finding("fail"), finding("fail", true)])).looks, 1);
  });
});
