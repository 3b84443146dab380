/** A rollback of all servers where no node is reached, by what the stand-in of Proxmox VE says of the VMs. */
import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { utils } from "ssh2";
import { askBack } from "../../../components/recovery/questions";
import { settingsFor } from "../../proxmox/stack";
import { ProxmoxLab, TOKEN_SECRET } from "../../rehearsal/proxmox/lab";
import { playNode } from "../playedNode";

const CHECK = "nodes: one answers from here, or their machines are off";

describe("components/recovery/nobodyAnswers", () => {
  let lab: ProxmoxLab;
  beforeEach(async () => {
    lab = await ProxmoxLab.start();
  });
  afterEach(() => lab.end());

  const sshPrivateKey = utils.generateKeyPairSync("ecdsa", { bits: 256 }).private;
  const asked = async (agentsAt: object = {}) => {
    const settings = settingsFor(lab);
    const at = { address: "127.0.0.2", port: 1 };
    const nodes = settings.nodes.map((node) => ({ ...node, ...at, ...(node.role === "agent" && agentsAt) }));
    const servers = nodes.filter(({ role }) => role === "server");
    const agents = nodes.filter(({ role }) => role === "agent");
    const goBack = { strategy: "rollback" as const };
    const found = await askBack(
      {
        settings: { ...settings, rke2Version: "v1.36.3+rke2r1", goBack, nodes, servers, agents },
        sshPrivateKey,
        proxmoxTokenSecret: TOKEN_SECRET,
      },
      undefined,
    );
    return found.find(({ check }) => check === CHECK);
  };

  it("refuses while a VM that would go back runs, and not once all are off", async () => {
    const refused = await asked();
    assert.equal(refused?.verdict, "fail");
    assert.match(refused?.found ?? "", /VM 3001 \(proj-k8sm01\), VM 3002/);
    assert.match(refused?.next ?? "", /VPN, SSH key, pinned host keys.*qm stop 3001; qm stop 3002/);
    const ours = settingsFor(lab).nodes.filter(({ role }) => role === "server");
    for (const { vmId } of ours) await lab.guests.stop(vmId);
    assert.equal((await asked())?.verdict, "pass");
  });

  it("asks nothing where an agent answers: the way from here is there", async () => {
    const node = await playNode(() => "service=active\n");
    try {
      assert.equal(await asked(node.target), undefined);
    } finally {
      node.close();
    }
  });
});
