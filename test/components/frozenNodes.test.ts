import assert from "node:assert/strict";
import fc from "fast-check";
import { type ChangeInputs, type ChangeState, judgeChange, UNSET } from "../../components/changePolicy";
import { nodesAsText, refusedNodes } from "../../components/frozenNodes";
import { settings } from "../observe/facts";

const [A, B, C] = ["v1.35.4+rke2r1", "v1.36.3+rke2r1", "v1.37.2+rke2r1"] as const;
const list = settings.nodes;
type Nodes = Parameters<typeof nodesAsText>[0];
const asked = (wanted: string, accepted: string, nodes: Nodes = list, goBack = ""): ChangeInputs => ({
  ...UNSET,
  ...{ wanted, accepted, goBack, changeId: "CR-1", nodes: nodesAsText(nodes) },
});
/** The state after a series of moves, the list the same in each. */
const reached = (...moves: ChangeInputs[]): ChangeState =>
  moves.reduce<ChangeState | undefined>((before, now) => {
    const verdict = judgeChange(before, now, () => "owner");
    assert.ok("attempt" in verdict);
    return verdict;
  }, undefined) ?? assert.fail();
const altered = (index: number, change: Partial<Nodes[number]>): Nodes =>
  list.map((node, i) => (i === index ? { ...node, ...change } : node));

describe("components/frozenNodes", () => {
  const underWay = reached(asked(A, A), asked(B, A));

  it("refuses a node that leaves, joins or gets another VM or role in the middle, by name, and says the next move", () => {
    const why = (nodes: Nodes) => refusedNodes(underWay, asked(B, A, nodes))?.reason ?? "";
    assert.match(
      why(list.slice(1)),
      /CR-1.*: proj-k8sm01 \(server, vmId 3001\) is missing in it\. next: put/,
    );
    assert.match(why(altered(0, { vmId: 3999 })), /proj-k8sm01's vmId was 3001 and is 3999\. next: /);
    assert.match(why([...list, { name: "new", role: "agent", vmId: 4000 }]), /: new is new in it\. next: /);
    assert.match(why(altered(0, { role: "agent" })), /proj-k8sm01's role was server and is agent/);
    assert.match(why(altered(0, { name: "renamed" })), /proj-k8sm01 .*missing in it; renamed is new/);
  });

  it("refuses it also where the change is accepted, withdrawn or taken back by the same move", () => {
    const less = list.slice(1);
    for (const now of [asked(B, B, less), asked(A, A, less), asked(B, A, less, "restore")])
      assert.equal(refusedNodes(underWay, now)?.property, "nodes");
    const accepted = reached(asked(A, A), asked(B, A), asked(B, B));
    assert.equal(refusedNodes(accepted, asked(B, A, less))?.property, "nodes");
    const settled = reached(asked(A, A), asked(B, A), asked(B, A, list, "restore"), asked(A, A));
    assert.equal(refusedNodes(settled, asked(B, A, less, "restore"))?.property, "nodes");
  });

  it("lets the list change while settled, and as the next change begins", () => {
    const accepted = reached(asked(A, A), asked(B, A), asked(B, B));
    for (const now of [asked(B, B, list.slice(1)), asked(C, B, list.slice(1))])
      assert.equal(refusedNodes(accepted, now), undefined);
  });

  it("compares nothing with a state from before nodes were frozen, and freezes them from then on", () => {
    const { nodes: _, ...old } = underWay;
    const now = asked(B, A, list.slice(1));
    assert.equal(refusedNodes(old, now), undefined);
    const next = judgeChange(old, now, () => assert.fail());
    assert.equal("nodes" in next && next.nodes, now.nodes);
  });

  it("is the same in any order, and for any address, host and login", () => {
    fc.assert(
      fc.property(fc.shuffledSubarray([...list], { minLength: list.length }), (nodes) => {
        const moved = nodes.map((node) => ({
          ...node,
          address: "10.0.0.1",
          proxmoxNode: "other",
          port: 2222,
        }));
        assert.equal(refusedNodes(underWay, asked(B, A, moved)), undefined);
      }),
    );
  });
});
