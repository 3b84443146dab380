import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { utils } from "ssh2";
import { askHelpers, helpersOf } from "../../../components/recovery/helpers";
import type { GoBack } from "../../../config";
import { settings } from "../../observe/facts";
import { playNode } from "../playedNode";

const sshPrivateKey = utils.generateKeyPairSync("ecdsa", { bits: 256 }).private;
const going = (strategy: GoBack["strategy"], ...nodes: string[]) => ({
  ...settings,
  goBack: { strategy, ...(nodes.length > 0 && { nodes }) },
});

describe("components/recovery/helpers", () => {
  it("are the servers that a mend asks, but for one that is mended before", () => {
    const names = (...asked: Parameters<typeof going>) => helpersOf(going(...asked)).map(({ name }) => name);
    assert.deepEqual(names("reinstall", "proj-k8sw01", "proj-k8sw02"), ["proj-k8sm01"]);
    assert.deepEqual(names("rollback", "proj-k8sm01"), ["proj-k8sm02"]);
    assert.deepEqual(names("rollback", "proj-k8sm01", "proj-k8sw01"), ["proj-k8sm02"]);
    assert.deepEqual(names("rollback", "proj-k8sm02", "proj-k8sw01"), ["proj-k8sm03", "proj-k8sm01"]);
    assert.deepEqual(names("restore"), []);
  });

  it("must answer before an agent is mended; where one is lost it is mended first", async () => {
    const node = await playNode(() => "");
    const ask = async (at: object) => {
      const wanted = going("reinstall", "proj-k8sw01");
      const servers = wanted.servers.map((server) => ({ ...server, ...at }));
      const context = { settings: { ...wanted, servers }, sshPrivateKey, proxmoxTokenSecret: "" };
      const [found] = await askHelpers(context);
      assert.ok(found);
      return found;
    };
    try {
      assert.equal((await ask(node.target)).verdict, "pass");
      const { check, verdict, next } = await ask({ address: "127.0.0.2", port: 1 });
      assert.deepEqual([check, verdict], ["proj-k8sm01: answers over SSH, to help", "not measured"]);
      assert.match(next ?? "", /mend it first: goBack \{strategy: rollback, nodes: \[proj-k8sm01\]\}/);
    } finally {
      node.close();
    }
  });
});
