/** Whose VM was put back, and what the servers' etcd says: on the stand-in of Proxmox VE, with servers that are played. */
import assert from "node:assert/strict";
import { areOne, isDataTouched, serversData } from "../../../components/recovery/dataTouched";
import type { Attempt } from "../../../components/recovery/record";
import type { MemberFacts } from "../../../observe";
import { ProxmoxClient } from "../../../proxmox/client";
import { AT_REST, ownMark } from "../../../proxmox/mark";
import { rollBack } from "../../../proxmox/rollback";
import { takeSnapshot } from "../../../proxmox/snapshots";
import { settingsFor } from "../../proxmox/stack";
import { ProxmoxLab, TOKEN_SECRET } from "../../rehearsal/proxmox/lab";
import { playServers } from "./playedServers";

const NAME = "rke2-v1-35-4-r1-CR-1";
const MARK = ownMark("v1.35.4+rke2r1");
const [SERVER, AGENT] = [3001, 3007];

describe("whether a way back that was left open has touched the servers' data", () => {
  let lab: ProxmoxLab;
  let client: ProxmoxClient;
  let played: Awaited<ReturnType<typeof playServers>>;
  const began = new Date(Date.now() - 1000);
  const soon = () => new Date(Date.now() + 20_000);

  beforeEach(async () => {
    lab = await ProxmoxLab.start();
    client = new ProxmoxClient(lab.access);
    played = await playServers();
    // At rest, as a VM that was put back comes up.
    Object.assign(played.said, { service: "inactive", members: 0 });
  });
  afterEach(async () => {
    played.close();
    await client.close();
    await lab.end();
  });

  const putBack = async (vmId: number) => {
    await takeSnapshot(client, vmId, NAME, `${AT_REST}\n${MARK}`, soon());
    await rollBack(client, { vmId, name: NAME, mark: MARK, atRest: true, since: began }, soon());
  };
  const context = () => {
    const nodes = settingsFor(lab).nodes.map((one) => ({ ...one, ...played.target }));
    const settings = { ...settingsFor(lab), servers: nodes.filter(({ role }) => role === "server") };
    return { settings, sshPrivateKey: played.sshPrivateKey, proxmoxTokenSecret: TOKEN_SECRET };
  };
  const isTouched = (goBack: string, beganAt = began) =>
    isDataTouched(context(), [{ attempt: 3, goBack, beganAt: beganAt.toISOString() }]);

  it("is told by a server's VM, put back since that way back began", async () => {
    assert.equal(await isTouched("rollback"), false);
    await putBack(SERVER);
    assert.equal(await isTouched("rollback"), true);
    assert.equal(await isTouched("rollback", new Date(Date.now() + 5000)), false);
  });

  it("is not told by an agent's, nor by a mend: its server is wiped, and joins the others", async () => {
    await putBack(AGENT);
    assert.equal(await isTouched("rollback"), false);
    await putBack(SERVER);
    assert.equal(await isTouched("rollback:proj-k8sm01"), false);
  });

  describe("etcd", () => {
    const restored: Attempt = {
      ...{ attempt: 3, goBack: "restore", beganAt: began.toISOString() },
      placed: { file: "etcd.age", takenAt: began.toISOString() },
    };
    const reset = () => `/var/lib/rke2-upgrade/back/${settingsFor(lab).changeId}-3/resetting`;
    /** Every server is in it. */
    const isOne = (service = "active") =>
      Object.assign(played.said, { service, members: context().settings.servers.length });
    const stateNow = async (attempt = restored) => (await serversData(context(), [attempt], 1)).state;

    it("that was reset is not reset once more where every server is in it again: it may have been written to since", async () => {
      isOne();
      assert.equal(await stateNow(), "as it was");
      played.said.resets = reset();
      assert.deepEqual(await serversData(context(), [restored], 1), {
        ...{ state: "one again", version: "v1.35.4+rke2r1" },
      });
      for (const said of [{ members: 9 }, { members: 0 }, { hashes: ["1", "2"] }]) {
        Object.assign(isOne(), said);
        assert.equal(await stateNow(), "apart", JSON.stringify(said));
      }
    });

    it("that lives on every server was not touched by a rollback that only failed", async () => {
      await putBack(SERVER);
      const rollback: Attempt = { attempt: 3, goBack: "rollback", beganAt: began.toISOString() };
      assert.equal(await stateNow(rollback), "apart");
      isOne();
      assert.equal(await stateNow(rollback), "one again");
    });

    it("is given time to be one where every server runs RKE2", async () => {
      Object.assign(played.said, { service: "activating", members: 0, resets: reset() });
      const data = serversData(context(), [restored], 20_000);
      setTimeout(() => isOne("activating"), 500);
      assert.equal((await data).state, "one again");
    });

    it("is not guessed at where a server does not answer", async () => {
      played.said.reachable = false;
      await assert.rejects(stateNow(), /cannot be told: proj-k8sm01: .*next: mend proj-k8sm01's network/);
    });

    it("is one whatever is full or compacted a moment apart, and not while a member learns", () => {
      const all = ["a", "b", "c"];
      const members = (second: Partial<MemberFacts>): MemberFacts[] =>
        all.map((server, i) => ({
          ...{ server, clusterId: "c", members: all, leader: "a", alarms: [] },
          ...{ revision: "9", hash: "1", compactedAt: "5" },
          ...(i === 1 ? second : {}),
        }));
      assert.equal(areOne(members({ alarms: ["NOSPACE"] }), 3), true);
      assert.equal(areOne(members({ hash: "2", compactedAt: "6" }), 3), true);
      assert.equal(areOne(members({ hash: "2" }), 3), false);
      assert.equal(areOne(members({ clusterId: "d" }), 3), false);
      assert.equal(areOne(members({ members: ["a", "b", "c*"] }), 3), false);
      assert.equal(areOne(members({}).slice(1), 3), false);
    });
  });
});
