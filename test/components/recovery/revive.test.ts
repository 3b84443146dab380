import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { backPhases } from "../../../components/recovery/phases";
import { mendsOf, withoutRollbacks } from "../../../components/recovery/revive";
import { parseSettings } from "../../../config";
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
