import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { backPhases } from "../../../components/recovery/phases";
import { withoutRollbacks } from "../../../components/recovery/revive";
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
});
