import assert from "node:assert/strict";
import fc from "fast-check";
import { letGo, type Marks, usedUp } from "../../components/patchMarks";

const bears = (name: string, ...patchedUnder: string[]): Marks => ({ name, patchedUnder });
const silent = (name: string): Marks => ({ name });

describe("components/patchMarks", () => {
  it("refuses an ID that has patched a node, by the node's name, and no other ID", () => {
    const marks = [bears("w1", "CR-1", "CR-2"), bears("w2"), silent("w3")];
    assert.match(usedUp("CR-2", marks), /CR-2 has patched w1 already.*changeId of its own/);
    assert.equal(usedUp("CR-3", marks), "");
  });

  it("has an acceptance taken back while each node that answers bears the mark, and says why not else", () => {
    assert.equal(letGo("CR-1", [bears("w1", "CR-1"), silent("w2")]), "");
    assert.match(letGo("CR-1", [bears("w1", "CR-1"), bears("w2", "CR-0")]), /let go \(no mark .* on w2\)/);
    for (const none of [[], [silent("w1")]]) assert.match(letGo("CR-1", none), /nobody can say/);
  });

  it("never allows both of one ID, where a node answers: to begin under it, and to take its acceptance back", () => {
    const marks = fc.record({
      name: fc.constantFrom("w1", "w2", "w3"),
      patchedUnder: fc.option(fc.array(fc.constantFrom("CR-1", "CR-2")), { nil: undefined }),
    });
    fc.assert(
      fc.property(fc.array(marks), (all) => {
        assert.ok(usedUp("CR-1", all) !== "" || letGo("CR-1", all) !== "");
      }),
    );
  });
});
