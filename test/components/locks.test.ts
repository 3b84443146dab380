/** What is taken for operators alone, and when it is let go: servers that the test plays. */
import assert from "node:assert/strict";
import { holdForOperators } from "../../components/locks";
import { provider as lock } from "../../components/operatorsLockProvider";
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

  it("is let go once the gate was asked since", async () => {
    const [first, later] = ["2026-11-24T07:00:00Z", "2026-11-25T07:00:00Z"];
    const before = { askedAt: first, owner: "o" };
    assert.equal((await lock.diff?.("", before, before))?.changes, false);
    assert.equal((await lock.diff?.("", before, { ...before, askedAt: later }))?.changes, true);
  });
});
