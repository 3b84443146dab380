import assert from "node:assert/strict";
import { existsSync, writeFileSync } from "node:fs";
import { checksCost, describeSpent, timed } from "../../../rehearsal/cli/results";

const BEGAN = new Date("2026-09-06T01:00:00.700Z");
const spent = (seconds: number, sshSessions: number, apiCalls: number) => ({
  seconds,
  sshSessions,
  apiCalls,
});
const gate = (askedAt: string, cost: object) => ({ type: "rke2:TurnGate", outputs: { askedAt, cost } });
const step = (name: string, startedAt: string, more: object) => ({
  type: "command:remote:Command",
  outputs: {
    stdout: `said\n${JSON.stringify({ step: name, node: "proj-k8sw01", startedAt, ...more })}\n`,
  },
});
const exported = JSON.stringify({
  deployment: {
    resources: [
      { type: "pulumi:pulumi:Stack" },
      gate("2026-09-06T01:00:05.000Z", spent(4, 5, 60)),
      gate("2026-08-30T01:00:05.000Z", spent(100, 100, 100)),
      step("gate-cluster", "2026-09-06T01:00:09Z", { seconds: 1.5, apiCalls: 9 }),
      step("gate-node", "2026-09-06T01:00:11Z", { seconds: 0.5 }),
      step("gate-node", "2026-08-30T01:00:11Z", { seconds: 50, apiCalls: 50 }),
      step("restart", "2026-09-06T01:00:12Z", { seconds: 30, apiCalls: 3 }),
    ],
  },
});

describe("rehearsal/cli/results", () => {
  const upgrade = { began: BEGAN, seconds: 90, announced: spent(3, 8, 40) };

  it("counts the checks of one run: the program's look, its gates, and their steps on nodes; none of an earlier run", () => {
    assert.deepEqual(checksCost(exported, upgrade), spent(9, 15, 109));
  });

  it("sets them against the time on the wall, not against the sum of the steps", () => {
    assert.equal(
      describeSpent(exported, upgrade),
      "checks: 9 s of 90 s (10 %), 15 SSH sessions, 109 API calls",
    );
  });

  it("reads what the program's look cost from the file that it names to it, and leaves none", async () => {
    let file = "";
    const { result, upgrade } = await timed(async (env) => {
      file = env.RKE2_UPGRADE_SEEN ?? "";
      writeFileSync(file, JSON.stringify({ cost: spent(2, 8, 40) }));
      return "ended";
    });
    assert.equal(result, "ended");
    assert.deepEqual(upgrade.announced, spent(2, 8, 40));
    assert.ok(upgrade.seconds >= 0 && upgrade.seconds < 60 && !existsSync(file));
  });
});
