/** What is taken for operators alone, and what acceptance lets go after them: servers that the test plays. */
import assert from "node:assert/strict";
import { holdForOperators } from "../../components/locks";
import { toLetGo } from "../../components/releaseProvider";
import { parseSettings } from "../../config";
import { lab } from "../config/lab";
import { playNode } from "./playedNode";

const A = "v1.35.4+rke2r1";
const B = "v1.36.3+rke2r1";

describe("the lock of operators alone", () => {
  let node: Awaited<ReturnType<typeof playNode>>;
  let asked: string[];
  let heldBy: string | undefined;

  beforeEach(async () => {
    asked = [];
    heldBy = undefined;
    node = await playNode((command) => {
      asked.push(command);
      return heldBy ? undefined : "";
    });
  });
  afterEach(() => node.close());

  const take = (wanted: string, moved: string[]) => {
    const settings = parseSettings(lab({ rke2Version: wanted, acceptedVersion: A }));
    const servers = settings.servers.map((server, i) => ({
      ...server,
      ...(i === 0 ? node.target : { address: "127.0.0.1", port: 1 }),
    }));
    return holdForOperators({ ...settings, servers }, node.sshPrivateKey, "uuid", moved);
  };

  it("is the cluster's Lease, for this stack's owner; no node is taken", async () => {
    await take(A, ["cert-manager"]);
    assert.equal(asked.length, 1);
    assert.match(asked[0] ?? "", / bash -s -- hold-cluster take uuid 'CR-2026-041 by /);
  });

  it("is not taken where nothing moves, nor in a change, which has it", async () => {
    await take(A, []);
    await take(B, ["cert-manager"]);
    assert.deepEqual(asked, []);
  });

  it("stops the run where it is not to be had", async () => {
    heldBy = "another";
    await assert.rejects(take(A, ["cert-manager"]), /refuses/);
  });
});

describe("what acceptance lets go", () => {
  const settled = { wanted: A, from: "v1", mode: "forward", movedUnder: "CR-1", attempt: 2, owner: "o" };
  const [first, later] = ["2026-11-24T07:00:00Z", "2026-11-25T07:00:00Z"];
  const before = { ...settled, operatorsAskedAt: first };
  const lease = { wayBack: false, lease: true };
  const all = { wayBack: true, lease: false };
  const nothing = { wayBack: false, lease: false };

  it("is the Lease alone once operators were asked about since, or have left the list", () => {
    assert.deepEqual(toLetGo(before, { ...before, operatorsAskedAt: later }), lease);
    assert.deepEqual(toLetGo(before, settled), lease);
    assert.deepEqual(toLetGo(before, before), nothing);
    assert.deepEqual(toLetGo(before, { ...before, movedUnder: "CR-2" }), nothing);
  });

  it("is the whole way back after a change, whatever operators did", () => {
    assert.deepEqual(toLetGo(undefined, before), all);
    assert.deepEqual(toLetGo(before, { ...before, attempt: 3, operatorsAskedAt: later }), all);
  });

  it("is no way back where the cluster was adopted, but the Lease where operators came with it", () => {
    const adopted = { ...settled, mode: "adopt" };
    assert.deepEqual(toLetGo(undefined, adopted), nothing);
    assert.deepEqual(toLetGo(undefined, { ...adopted, operatorsAskedAt: first }), lease);
  });
});
