import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { backPhases } from "../../../components/recovery/phases";
import { mendsOf, withoutRollbacks } from "../../../components/recovery/revive";
import { type GoBack, parseSettings } from "../../../config";
import { lab } from "../../config/lab";

describe("a mend that a change going forward again takes up", () => {
  const nodes = ["proj-k8sm02"];
  const settings = parseSettings(
    lab({ rke2Version: "v1.36.3+rke2r1", acceptedVersion: "v1.35.4+rke2r1", ingressController: "none" }),
  );
  const all = backPhases({ ...settings, goBack: { strategy: "rollback", nodes } });
  const names = (putBack: readonly string[]) =>
    withoutRollbacks(all, new Set(putBack)).flatMap(({ lanes }) =>
      lanes.flatMap((lane) => lane.map(({ name }) => name)),
    );

  it("puts no VM back that was not being put back, and leaves nothing else out", () => {
    const whole = all.flatMap(({ lanes }) => lanes.flatMap((lane) => lane.map(({ name }) => name)));
    assert.ok(whole.includes("proj-k8sm02-vm-rollback"));
    assert.deepEqual(names(nodes), whole);
    assert.deepEqual(
      names(["proj-k8sm03"]),
      whole.filter((name) => name !== "proj-k8sm02-vm-rollback"),
    );
  });

  it("joins and leaves at the servers' InternalIPs, wherever SSH goes", () => {
    const servers = settings.servers.map((node, i) => ({ ...node, internalIp: `10.9.0.${i + 1}` }));
    const going = { ...settings, servers, nodes: [...servers, ...settings.agents] };
    const args = (goBack: GoBack, wanted: string) =>
      backPhases({ ...going, goBack })
        .flatMap(({ lanes }) => lanes.flat())
        .flatMap((step) => (step.kind === "command" && step.name === wanted ? [step.planned.args] : []));
    const mended: GoBack = { strategy: "rollback", nodes };
    assert.deepEqual(args(mended, "proj-k8sm02-member-remove"), [
      ["CR-2026-041", "proj-k8sm02", "10.9.0.2", 3],
    ]);
    assert.match(String(args(mended, "proj-k8sm02-back-start")[0]?.at(-1)), /^10\.9\.0\.[13]$/);
    assert.equal(args({ strategy: "restore" }, "proj-k8sm03-back-start")[0]?.at(-1), "10.9.0.1");
  });

  it("is a node's latest, whatever was tried before it", () => {
    const at = "2026-11-24T01:00:00.000Z";
    const attempts = ["reinstall:a,b", "restore", "rollback:b", "reinstall:c"].map((goBack, i) => ({
      ...{ attempt: i + 3, goBack, beganAt: at },
    }));
    assert.deepEqual(
      mendsOf(attempts).map(({ node, one }) => [node, one.attempt]),
      [
        ["a", 3],
        ["b", 5],
        ["c", 6],
      ],
    );
  });
});
