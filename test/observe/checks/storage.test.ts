import assert from "node:assert/strict";
import type { V1Node } from "@kubernetes/client-node";
import { judge, judgeTurn } from "../../../observe";
import { clusterNode, facts, OWNER, settings, TO } from "../facts";

const NODE = "proj-k8sw01";
const longhornVolumes = [{ metadata: { name: "v" }, status: { robustness: "degraded" } }];

/** The node in its turn, which has come this far. */
const turning = (node: Partial<V1Node> = {}) =>
  clusterNode(NODE, {
    metadata: { name: NODE, annotations: { "rke2-upgrade/working": settings.changeId } },
    ...node,
  });
const down = turning({ status: { conditions: [{ type: "Ready", status: "Unknown" }] } });

const seen = (node: V1Node) =>
  facts({
    cluster: {
      longhornVolumes,
      nodes: settings.nodes.map(({ name }) => (name === NODE ? node : clusterNode(name))),
    },
  });
const asked = (node: V1Node) =>
  judge(settings, seen(node), OWNER).find(({ check }) => check === "cluster: storage");
function gate(name: string, node: V1Node) {
  const whose = settings.nodes.find((one) => one.name === name);
  assert.ok(whose);
  return judgeTurn(settings, whose, seen(node), OWNER).find(({ check }) => check === "cluster: storage");
}

describe("observe/checks/storage", () => {
  it("does not hold the node in its turn that may be why: down, drained, or back a moment ago", () => {
    const cordoned = turning({ spec: { unschedulable: true } });
    const back = turning({ status: { nodeInfo: { kubeletVersion: TO } as never } });
    for (const node of [down, cordoned, back]) {
      assert.equal(asked(node)?.verdict, "warn");
      assert.equal(gate(NODE, node)?.verdict, "warn");
    }
    assert.match(asked(down)?.next ?? "", /^proj-k8sw01 in its turn may be why/);
  });

  it("holds the node whose turn has taken nothing down yet, and one that is down without our mark", () => {
    assert.equal(asked(turning())?.verdict, "fail");
    assert.equal(gate(NODE, turning())?.verdict, "fail");
    const foreign = clusterNode(NODE, { status: down.status });
    assert.equal(asked(foreign)?.verdict, "fail");
  });

  it("holds everybody else, of its wave too: the next node down may take the last replica along", () => {
    for (const name of ["proj-k8sw02", "proj-k8sm01"]) assert.equal(gate(name, down)?.verdict, "fail");
  });
});
