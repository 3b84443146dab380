import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, it } from "mocha";
import { backupFile } from "../../../components/etcdBackups";
import { foreseeRevival } from "../../../components/recovery/foreseeRevival";
import { backPhases } from "../../../components/recovery/phases";
import { readRecord, writeRecord } from "../../../components/recovery/record";
import { mendsOf, revive, withoutRollbacks } from "../../../components/recovery/revive";
import { type GoBack, parseSettings } from "../../../config";
import { lab, labNodes, RECIPIENT } from "../../config/lab";
import { playServers } from "./playedServers";

describe("a mend that a change going forward again takes up", () => {
  const nodes = ["proj-k8sm02"];
  const settings = parseSettings(
    lab({ rke2Version: "v1.36.3+rke2r1", acceptedVersion: "v1.35.4+rke2r1", ingressController: "none" }),
  );
  const all = backPhases({ ...settings, goBack: { strategy: "rollback", nodes } });
  const names = (putBack: readonly string[]) =>
    withoutRollbacks(all, new Set(putBack)).flatMap(({ lanes }) =>
      lanes.flatMap((lane) => lane.map(({ name }) => name)),
    );

  it("puts no VM back that was not being put back, and leaves nothing else out", () => {
    const whole = all.flatMap(({ lanes }) => lanes.flatMap((lane) => lane.map(({ name }) => name)));
    assert.ok(whole.includes("proj-k8sm02-vm-rollback"));
    assert.deepEqual(names(nodes), whole);
    assert.deepEqual(
      names(["proj-k8sm03"]),
      whole.filter((name) => name !== "proj-k8sm02-vm-rollback"),
    );
  });

  it("joins and leaves at the servers' InternalIPs, wherever SSH goes", () => {
    const servers = settings.servers.map((node, i) => ({ ...node, internalIp: `10.9.0.${i + 1}` }));
    const going = { ...settings, servers, nodes: [...servers, ...settings.agents] };
    const args = (goBack: GoBack, wanted: string) =>
      backPhases({ ...going, goBack })
        .flatMap(({ lanes }) => lanes.flat())
        .flatMap((step) => (step.kind === "command" && step.name === wanted ? [step.planned.args] : []));
    const mended: GoBack = { strategy: "rollback", nodes };
    assert.deepEqual(args(mended, "proj-k8sm02-member-remove"), [
      ["CR-2026-041", "proj-k8sm02", "10.9.0.2", 3],
    ]);
    assert.match(String(args(mended, "proj-k8sm02-back-start")[0]?.at(-1)), /^10\.9\.0\.[13]$/);
    assert.equal(args({ strategy: "restore" }, "proj-k8sm03-back-start")[0]?.at(-1), "10.9.0.1");
  });

  it("is a node's latest, whatever was tried before it", () => {
    const at = "2026-11-24T01:00:00.000Z";
    const attempts = ["reinstall:a,b", "restore", "rollback:b", "reinstall:c"].map((goBack, i) => ({
      ...{ attempt: i + 3, goBack, beganAt: at },
    }));
    assert.deepEqual(
      mendsOf(attempts).map(({ node, one }) => [node, one.attempt]),
      [
        ["a", 3],
        ["b", 5],
        ["c", 6],
      ],
    );
  });
});

describe("going forward again after etcd was reset", () => {
  const accepted = "v1.35.4+rke2r1";
  let folder: string;
  let played: Awaited<ReturnType<typeof playServers>>;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "revive-"));
    played = await playServers();
  });
  afterEach(() => {
    played.close();
    rmSync(folder, { recursive: true });
  });

  /** A restore that was left open an hour after its snapshot, no identity in the config any more. */
  async function leftOpen() {
    const settings = parseSettings(
      lab({
        ...{ rke2Version: "v1.36.3+rke2r1", acceptedVersion: accepted, ingressController: "none" },
        backup: { directory: folder, recipients: [RECIPIENT] },
        nodes: labNodes.map((node, i) => ({ ...node, ...played.target, address: `127.0.0.${i + 2}` })),
      }),
    );
    const takenAt = new Date(Date.now() - 3_600_000);
    const file = backupFile(settings, takenAt, accepted);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, "");
    writeFileSync(`${file}.sha256`, "0".repeat(64));
    const beganAt = new Date().toISOString();
    const placed = { file, takenAt: takenAt.toISOString() };
    await writeRecord(settings, { attempt: 2, goBack: "restore", beganAt, placed });
    played.said.resets = `/var/lib/rke2-upgrade/back/${settings.changeId}-2/resetting`;
    return { settings, sshPrivateKey: played.sshPrivateKey, proxmoxTokenSecret: "not used here" };
  }
  const foresee = async (context: Awaited<ReturnType<typeof leftOpen>>) =>
    (await foreseeRevival(context, "owner", 3)).join("\n");

  it("stops nothing where the servers are one etcd again, and starts what is down on their release", async () => {
    const context = await leftOpen();
    assert.match(await foresee(context), /every server is in one etcd again: no data is put back/);
    assert.equal(played.steps.length, 0);
    assert.match((await revive(context, "owner", 3)) ?? "", /every node started/);
    const ran = played.steps.map((words) => words.split(" ")[0]);
    assert.deepEqual([...new Set(ran)], ["wake-node", "verify-back"]);
    assert.ok(played.steps.slice(0, -1).every((words) => words.includes(`${accepted} forward`)));
    assert.ok((await readRecord(context.settings))?.endedAt);
  });

  it("else says what is lost, and asks for all that it needs before it stops anything", async () => {
    const context = await leftOpen();
    Object.assign(played.said, { service: "inactive", members: 0 });
    const told = await foresee(context);
    assert.match(told, /not one etcd: pulumi up first stops every node and puts etcd back/);
    assert.match(told, /every object written since the etcd snapshot \(60 min.* old\) is gone/);
    assert.match(told, /FAIL {2}etcd snapshot: .*backup\.identityFile is not set/);
    await assert.rejects(
      revive(context, "owner", 3),
      /nothing more was touched.*\n- etcd snapshot: .*backup\.identityFile is not set.*\n.*next: set backup\.identityFile/,
    );
    assert.equal(played.steps.length, 0);
    assert.equal((await readRecord(context.settings))?.attempt, 2);
  });
});
