/** What a way back asks of the disks that etcd's data and its snapshot go to. */
import assert from "node:assert/strict";
import { judgeMove, judgeRoom } from "../../../components/recovery/room";
import { parseSettings } from "../../../config";
import type { NodeBack } from "../../../observe";
import { lab, RECIPIENT } from "../../config/lab";

const MIB = 2 ** 20;
const settings = (goBack: object) =>
  parseSettings(
    lab({
      ...{ rke2Version: "v1.36.3+rke2r2", acceptedVersion: "v1.36.3+rke2r1", ingressController: "none" },
      backup: { directory: "/nowhere", recipients: [RECIPIENT], identityFile: "/nowhere/key.txt" },
      goBack,
    }),
  );
const { servers, nodes } = settings({ strategy: "reinstall" });
const [server] = servers as [(typeof servers)[number]];

const room = (state: readonly [string, number], etcd: readonly [string, number]) =>
  ({
    room: {
      state: { device: state[0], freeMiB: state[1] },
      etcd: { device: etcd[0], freeMiB: etcd[1] },
    },
  }) as NodeBack;

describe("components/recovery/room", () => {
  const judge = (seen: NodeBack, begun = false) =>
    judgeRoom(server, seen, 1000 * MIB - 1, begun).map(({ wanted, verdict }) => [wanted, verdict]);

  it("asks for the snapshot once where it is placed and twice where it is restored, on one disk for all", () => {
    assert.deepEqual(judge(room(["1", 1000], ["2", 1999])), [
      ["1000 MiB (the snapshot's 1000)", "pass"],
      ["2000 MiB (2 × the snapshot's 1000)", "fail"],
    ]);
    assert.deepEqual(
      judge(room(["1", 999], ["2", 2000])).map(([, verdict]) => verdict),
      ["fail", "pass"],
    );
    assert.deepEqual(judge(room(["1", 2999], ["1", 2999])), [["3000 MiB (3 × the snapshot's 1000)", "fail"]]);
    assert.deepEqual(
      judge(room(["1", 3000], ["1", 3000])).map(([, verdict]) => verdict),
      ["pass"],
    );
  });

  it("stops no way back that is under way: it took that room itself", () => {
    assert.deepEqual(
      judge(room(["1", 0], ["1", 0]), true).map(([, verdict]) => verdict),
      ["warn"],
    );
  });

  it("refuses a mount that a server's data cannot be moved from, wherever it is moved", () => {
    const seen = { etcdMounts: ["/var/lib/rancher/rke2/server/db/etcd"] } as unknown as NodeBack;
    const found = (goBack: object, node = server) => judgeMove(settings(goBack), node, seen);
    for (const goBack of [{ strategy: "rollback" }, { strategy: "rollback", nodes: [server.name] }]) {
      assert.match(found(goBack)[0]?.next ?? "", /docs\/checks\.md#etcd-on-a-disk-of-its-own/);
    }
    assert.deepEqual(found({ strategy: "reinstall" }), []);
    const agent = nodes.find(({ role }) => role === "agent");
    assert.deepEqual(found({ strategy: "rollback" }, agent), []);
  });
});
