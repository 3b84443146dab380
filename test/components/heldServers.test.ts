/** Who is let go, and who is only started: a server that the test plays, and the stand-in's snapshots. */
import assert from "node:assert/strict";
import { wakeHeld } from "../../components/heldServers";
import { type Settings, snapshotName } from "../../config";
import { ProxmoxClient } from "../../proxmox/client";
import { AT_REST, ownMark } from "../../proxmox/mark";
import { rollBack } from "../../proxmox/rollback";
import { takeSnapshot } from "../../proxmox/snapshots";
import { settingsFor } from "../proxmox/stack";
import { ProxmoxLab, TOKEN_SECRET } from "../rehearsal/proxmox/lab";
import { playNode } from "./playedNode";

const SERVER = 3001;

describe("components/heldServers", () => {
  let lab: ProxmoxLab;
  let client: ProxmoxClient;
  let node: Awaited<ReturnType<typeof playNode>>;
  /** What the server says when it is asked; undefined: it is not held for a snapshot. */
  let held: string | undefined;
  let steps: string[];

  beforeEach(async () => {
    steps = [];
    lab = await ProxmoxLab.start();
    client = new ProxmoxClient(lab.access);
    node = await playNode((command) => {
      const [, step] = /bash -s -- (\S+)/.exec(command) ?? [];
      if (!step) return held;
      steps.push(step);
      return "{}";
    });
  });
  afterEach(async () => {
    node.close();
    await client.close();
    await lab.end();
  });

  const settingsNow = (): Settings => {
    const settings = settingsFor(lab);
    // The others do not answer.
    const servers = settings.servers.map((server, i) => ({
      ...server,
      ...(i === 0 ? node.target : { address: "127.0.0.1", port: 1 }),
    }));
    return { ...settings, servers };
  };
  const wake = () =>
    wakeHeld(
      { settings: settingsNow(), sshPrivateKey: node.sshPrivateKey, proxmoxTokenSecret: TOKEN_SECRET },
      "owner",
    );
  const answer = (service: "active" | "inactive", since = new Date()) =>
    `${Math.floor(since.getTime() / 1000)}\n${service}\n`;
  const wish = () => {
    const { acceptedVersion, changeId } = settingsNow();
    return { name: snapshotName(acceptedVersion, changeId), mark: ownMark(acceptedVersion) };
  };
  const soon = () => new Date(Date.now() + 20_000);
  const take = () => takeSnapshot(client, SERVER, wish().name, `${AT_REST}\n${wish().mark}`, soon());

  it("asks nothing more where no server is held for a snapshot", async () => {
    held = undefined;
    assert.equal(await wake(), false);
    assert.deepEqual(steps, []);
  });

  it("starts a server whose snapshot is still to be taken, and leaves it held", async () => {
    held = answer("inactive");
    assert.equal(await wake(), true);
    assert.deepEqual(steps, ["start-held"]);
  });

  it("lets a server go whose snapshot is there", async () => {
    await take();
    held = answer("active");
    assert.equal(await wake(), false);
    assert.deepEqual(steps, ["start-held", "release-hold"]);
  });

  it("leaves one held whose snapshot is still being made", async () => {
    await take();
    lab.standIn.site.vms.update("node01", SERVER, (config) => {
      for (const snapshot of Object.values(config.snapshots ?? {})) snapshot.snapstate = "prepare";
    });
    held = answer("inactive");
    assert.equal(await wake(), true);
    assert.deepEqual(steps, ["start-held"]);
  });

  it("starts nothing on a machine that was put back", async () => {
    await take();
    const before = new Date(Date.now() - 1000);
    held = answer("inactive", before);
    await rollBack(client, { ...wish(), vmId: SERVER, atRest: true, since: before }, soon());
    await assert.rejects(
      wake(),
      /proj-k8sm01: RKE2 is held there, and VM 3001 was rolled back.*next: .*goBack/,
    );
    assert.deepEqual(steps, []);
  });
});
