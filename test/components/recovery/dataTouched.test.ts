/** Whose VM was put back tells whether servers still hold the same data: on the stand-in of Proxmox VE. */
import assert from "node:assert/strict";
import { isDataTouched } from "../../../components/recovery/dataTouched";
import { ProxmoxClient } from "../../../proxmox/client";
import { AT_REST, ownMark } from "../../../proxmox/mark";
import { rollBack } from "../../../proxmox/rollback";
import { takeSnapshot } from "../../../proxmox/snapshots";
import { settingsFor } from "../../proxmox/stack";
import { ProxmoxLab, TOKEN_SECRET } from "../../rehearsal/proxmox/lab";

const NAME = "rke2-v1-35-4-r1-CR-1";
const MARK = ownMark("v1.35.4+rke2r1");
const [SERVER, AGENT] = [3001, 3007];

describe("whether a way back that was left open has touched the servers' data", () => {
  let lab: ProxmoxLab;
  let client: ProxmoxClient;
  const began = new Date(Date.now() - 1000);
  const soon = () => new Date(Date.now() + 20_000);

  beforeEach(async () => {
    lab = await ProxmoxLab.start();
    client = new ProxmoxClient(lab.access);
  });
  afterEach(async () => {
    await client.close();
    await lab.end();
  });

  const putBack = async (vmId: number) => {
    await takeSnapshot(client, vmId, NAME, `${AT_REST}\n${MARK}`, soon());
    await rollBack(client, { vmId, name: NAME, mark: MARK, atRest: true, since: began }, soon());
  };
  const isTouched = (goBack: string, beganAt = began) => {
    // Nobody answers over SSH here: these are told by Proxmox VE alone.
    const nodes = settingsFor(lab).nodes;
    const settings = { ...settingsFor(lab), servers: nodes.filter(({ role }) => role === "server") };
    const context = { settings, sshPrivateKey: "not used here", proxmoxTokenSecret: TOKEN_SECRET };
    return isDataTouched(context, [{ attempt: 3, goBack, beganAt: beganAt.toISOString() }]);
  };

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
});
