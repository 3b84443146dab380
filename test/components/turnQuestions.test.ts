import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { utils } from "ssh2";
import { configure } from "../../components/providerConfig";
import { askBeforeTurn } from "../../components/turnQuestions";
import { NAMESPACE } from "../../config";
import { lab, labNodes } from "../config/lab";

describe("components/turnQuestions", () => {
  it("ends a refusal with the decision of procedure §4.3, as the preflight does", async () => {
    const config: Record<string, string | undefined> = {
      ...lab({
        rke2Version: "v1.36.3+rke2r1",
        acceptedVersion: "v1.35.4+rke2r1",
        nodes: labNodes.map((node, i) => ({ ...node, address: `127.0.0.${i + 2}`, port: 1 })),
        proxmox: { endpoint: "https://127.0.0.1:1", tokenId: "rke2-upgrade@pve!operator" },
        monitoring: [],
      }),
      sshPrivateKey: utils.generateKeyPairSync("ecdsa", { bits: 256 }).private,
      proxmoxTokenSecret: "00000000-0000-0000-0000-000000000000",
    };
    const of = (key: string) => config[key.slice(NAMESPACE.length + 1)];
    await configure({ config: { get: of, require: (key: string) => of(key) ?? "" } } as never);
    const asked = askBeforeTurn({
      ...{ node: "proj-k8sm01", wanted: "v1.36.3+rke2r1", accepted: "v1.35.4+rke2r1" },
      ...{ changeId: "CR-2026-041", attempt: 1, owner: "owner" },
    });
    await assert.rejects(asked, (error: Error) => {
      assert.match(error.message, /^proj-k8sm01 was not touched: .* before proj-k8sm01's turn do not hold/);
      assert.match(error.message, /Procedure §4\.3's criteria for going back: .*\n.*\n.*\n.*data corruption/);
      // Nothing answers here.
      assert.match(error.message, /No node can be looked at from here/);
      return true;
    });
  });
});
