import assert from "node:assert/strict";
import { planOf } from "../../components/plan";
import { laneOfStep, turnOf } from "../../report/lanes";
import { settingsOf, TO } from "./fixtures";

const settings = settingsOf();

describe("report/lanes", () => {
  it("puts every step of an upgrade where it belongs: a turn's into its node's row, none into a row of its own", () => {
    const turns = planOf(settings).filter(({ phase }) => phase === "servers" || phase === "agents");
    for (const { id, node } of turns) assert.equal(turnOf(id), node, id);
    const around = planOf(settings).filter(
      ({ phase, id }) => phase !== "servers" && phase !== "agents" && id !== "change",
    );
    for (const { id } of around) assert.ok(laneOfStep(id) !== "Around" && turnOf(id) === undefined, id);
  });

  it("puts every step of acceptance into its own row", () => {
    const accepting = planOf(settingsOf({ acceptedVersion: TO })).filter(
      ({ phase }) => phase === "acceptance",
    );
    assert.equal(accepting.length, settings.nodes.length + 2);
    for (const { id } of accepting) assert.equal(laneOfStep(id), "Acceptance", id);
    assert.equal(laneOfStep("settled-proj-k8sm01-verify"), "Acceptance");
  });

  it("puts the steps of a way back into its own row, whatever they share with a turn", () => {
    for (const name of [
      "proj-k8sm02-back-drain",
      "proj-k8sm02-back-install",
      "proj-k8sm02-vm-rollback",
      "proj-k8sm01-wake",
    ])
      assert.equal(laneOfStep(name), "Going back");
  });
});
