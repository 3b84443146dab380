/** What the nodes' own word forbids, asked over SSH of nodes that the test plays; the moves themselves: changePolicy.test.ts. */
import assert from "node:assert/strict";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import type * as pulumi from "@pulumi/pulumi";
import { Server, utils } from "ssh2";
import { type ChangeInputs, type ChangeState, UNSET } from "../../components/changePolicy";
import { provider } from "../../components/changeProvider";
import { lab, labNodes } from "../config/lab";

const V = "v1.36.3+rke2r1";
// No ed25519: of those that ssh2 makes, one in 256 (a zero in front) cannot be read again.
const key = utils.generateKeyPairSync("ecdsa", { bits: 256 });

describe("components/changeProvider", () => {
  let server: Server;
  /** Of every node; undefined where none lets anybody in. */
  let patchedUnder: string[] | undefined;
  /** The version that every node runs. */
  let runs = "";

  before(async () => {
    server = new Server({ hostKeys: [key.private] }, (client) => {
      client.on("error", () => {});
      client.on("authentication", (login) => (patchedUnder ? login.accept() : login.reject()));
      client.on("session", (accept) => {
        accept().on("exec", (take) => {
          const channel = take();
          channel.resume();
          channel.write((patchedUnder ?? []).map((id) => `patchedUnder=${id}\n`).join(""));
          channel.write(`versionOnDisk=${runs}\nversionRunning=${runs}\nservice=active\n`);
          channel.exit(0);
          channel.end();
        });
      });
    }).listen(0, "0.0.0.0");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const at = { port, user: "test", hostKey: key.public };
    const values: Record<string, string | undefined> = {
      ...lab({
        rke2Version: V,
        acceptedVersion: V,
        changeId: "CR-2",
        osPatch: { packages: "full", round: "CR-2" },
        nodes: labNodes.map((node, i) => ({ ...node, ...at, address: `127.0.0.${i + 1}` })),
      }),
      sshPrivateKey: key.private,
      proxmoxTokenSecret: "not used here",
    };
    const get = (name: string) => values[name.replace("rke2-upgrade:", "")];
    const request = { config: { get, require: (name: string) => get(name) ?? assert.fail(name) } };
    await provider.configure?.(request as unknown as pulumi.dynamic.ConfigureRequest);
  });
  after(() => {
    server.close();
  });

  const settled: ChangeInputs = { ...UNSET, wanted: V, accepted: V, changeId: "CR-1" };
  const round = { ...settled, changeId: "CR-2", round: "CR-2" };
  const stored = { attempt: 3, from: V, mode: "forward" as const, movedUnder: "CR-1", owner: "owner-1" };
  async function refused(before: object, now: ChangeInputs, marks?: string[]): Promise<string | undefined> {
    patchedUnder = marks;
    const { failures } = (await provider.check?.(before as never, now as never)) ?? {};
    return failures?.map(({ property, reason }) => `${property}: ${reason}`).join();
  }

  it("adopts another version where every node runs it, and refuses both at once where one does not or is silent", async () => {
    const adopted = { ...settled, ...stored, attempt: 1, mode: "adopt" as const };
    const other = { ...settled, wanted: "v1.36.1+rke2r1", accepted: "v1.36.1+rke2r1" };
    runs = other.wanted;
    assert.equal(await refused(adopted, other, []), undefined);
    const { inputs } = (await provider.check?.(adopted as never, other as never)) ?? {};
    const { mode, attempt, from } = inputs as unknown as ChangeState;
    assert.deepEqual([mode, attempt, from], ["adopt", 2, other.wanted]);
    assert.match((await refused(adopted, other)) ?? "", /^accepted: .*without a way back/);
    runs = V;
    assert.match((await refused(adopted, other, [])) ?? "", /^accepted: .*without a way back/);
    runs = other.wanted;
    assert.match(
      (await refused({ ...adopted, attempt: 3, mode: "forward" }, other, [])) ?? "",
      /^accepted: /,
    );
  });

  it("refuses another list of nodes in the middle of a change, before all else", async () => {
    const before = { ...round, ...stored, nodes: "a agent 101, b agent 102" };
    const said = (await refused(before, { ...round, nodes: "a agent 101, b agent 103" }, ["CR-2"])) ?? "";
    assert.match(said, /^nodes: .*b's vmId was 102 and is 103/);
    assert.equal(await refused(before, { ...round, nodes: before.nodes }, ["CR-2"]), undefined);
  });

  it("begins no change, round or bump, under an ID that a node still bears the mark of", async () => {
    const bump = { ...settled, wanted: "v1.37.2+rke2r1", changeId: "CR-2" };
    for (const now of [round, bump]) {
      const before = { ...settled, ...stored };
      assert.match((await refused(before, now, ["CR-2"])) ?? "", /^changeId: CR-2 has patched proj-k8s/);
      assert.equal(await refused(before, now, ["CR-1"]), undefined);
      assert.equal(await refused(before, now), undefined, "who does not answer is the preflight's to refuse");
    }
  });

  it("lets a change that is under way go on, whatever it has patched", async () => {
    assert.equal(await refused({ ...round, ...stored, movedUnder: "CR-2" }, round, ["CR-2"]), undefined);
  });

  it("has a round's acceptance taken back as long as the nodes bear its marks", async () => {
    const accepted = { ...round, acceptedRound: "CR-2", ...stored, movedUnder: "CR-2" };
    assert.equal(await refused(accepted, round, ["CR-2"]), undefined);
    assert.match(
      (await refused(accepted, round, [])) ?? "",
      /^acceptedRound: .*CR-2 were accepted.*is let go/,
    );
    assert.match((await refused(accepted, round)) ?? "", /^acceptedRound: nobody can say/);
  });
});
