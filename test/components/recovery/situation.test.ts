import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { utils } from "ssh2";
import { situationOf } from "../../../components/recovery/situation";
import { facts, settings } from "../../observe/facts";

describe("components/recovery/situation", () => {
  it("takes for silent what was looked at and did not answer, not what a turn's gate does not look at", async () => {
    const all = facts();
    const [gone, ...rest] = [...all.nodes];
    assert.ok(gone);
    const ofTurn = rest.filter(([name]) => name.startsWith("proj-k8sm"));
    const nodes = new Map([[gone[0], { missing: "no route to host" }] as const, ...ofTurn]);
    // Nobody is asked over SSH here.
    const nowhere = {
      ...settings,
      servers: settings.servers.map((one) => ({ ...one, address: "127.0.0.2", port: 1 })),
    };
    const key = utils.generateKeyPairSync("ecdsa", { bits: 256 }).private;
    const { silent, sick, etcdWhole } = await situationOf(nowhere, { ...all, nodes }, key);
    assert.deepEqual([silent, sick, etcdWhole], [[gone[0]], [gone[0]], undefined]);
  });
});
