import assert from "node:assert/strict";
import { agentTurn, serverTurn } from "../../components/turns";
import { nodesOfTurn } from "../../observe";
import { settings } from "./facts";

describe("observe/turn", () => {
  it("looks, for a turn, at every machine on which the turn's steps leave their durations, and at every server", () => {
    for (const node of settings.nodes) {
      const looked = nodesOfTurn(settings, node).map(({ name }) => name);
      assert.equal(new Set(looked).size, looked.length);
      const steps = node.role === "server" ? serverTurn(settings, node) : agentTurn(settings, node);
      for (const { id, on } of steps)
        assert.ok(looked.includes(on.name), `${node.name}: ${id} on ${on.name}`);
      for (const { name } of settings.servers) assert.ok(looked.includes(name), `${node.name}: ${name}`);
    }
  });
});
