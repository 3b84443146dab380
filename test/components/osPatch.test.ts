import assert from "node:assert/strict";
import { awaitReboot, lost } from "../../components/rebooting";
import { agentTurn, reboot, serverTurn } from "../../components/turns";
import { parseSettings } from "../../config";
import { lab } from "../config/lab";
import { runProgram } from "./engine";

const UNDER_WAY = { rke2Version: "v1.36.3+rke2r1", acceptedVersion: "v1.35.4+rke2r1" };
const settingsOf = (osPatch: object, more: object = {}) =>
  parseSettings(lab({ ...UNDER_WAY, osPatch, ...more }));

describe("components: OS patches", () => {
  const ids = (osPatch: object, role: "server" | "agent") => {
    const settings = settingsOf(osPatch);
    const [server, agent] = [settings.servers[0], settings.agents[0]];
    assert.ok(server && agent);
    return (role === "server" ? serverTurn(settings, server) : agentTurn(settings, agent)).map(
      ({ id }) => id,
    );
  };

  it("has an agent patched and rebooted when it is drained, before its RKE2", () => {
    assert.deepEqual(ids({ packages: "security" }, "agent"), [
      ...["gate-cluster", "gate-node", "cordon", "drain", "patch", "reboot"],
      ...["backup-config", "install", "restart", "verify-node", "verify-cluster", "uncordon"],
    ]);
  });

  it("drains a server for it where asked, and gives it its pods back before its soak", () => {
    assert.deepEqual(ids({ packages: "full", servers: true }, "server"), [
      ...["gate-cluster", "gate-node", "cordon", "drain", "patch", "reboot"],
      ...["backup-config", "install", "restart", "verify-node", "uncordon", "verify-cluster"],
    ]);
    assert.deepEqual(ids({ packages: "full" }, "server"), ids({}, "server"));
  });

  it("gives a server's reboot the time in which its script waits for a quorum", () => {
    const settings = settingsOf({ packages: "full", servers: true });
    const bounds = settings.nodes.map((node) => [node.role, reboot(settings, node).limitSeconds]);
    for (const [role, seconds] of bounds) assert.equal(seconds, role === "server" ? 720 : 600);
  });

  it("changes no step of any turn where it is off", () => {
    const [off, unset] = [settingsOf({ packages: "none", reboot: "always", servers: true }), settingsOf({})];
    for (const node of unset.nodes) {
      const turn = node.role === "server" ? serverTurn : agentTurn;
      assert.deepEqual(turn(off, node), turn(unset, node));
    }
  });

  it("lays the reboot out as a resource in the chain, which is no Command: that fails with its connection", async () => {
    const all = await runProgram({ ...UNDER_WAY, osPatch: { packages: "security" } });
    const get = (name: string) => {
      const found = all.find((one) => one.name === name);
      assert.ok(found, name);
      return found;
    };
    assert.equal(get("proj-k8sw01-patch").type, "command:remote:Command");
    assert.match(get("proj-k8sw01-reboot").type, /Reboot$/);
    const chain = ["drain", "patch", "reboot", "backup-config"].map((id) => get(`proj-k8sw01-${id}`));
    for (const [i, one] of chain.entries()) {
      const next = chain[i + 1];
      if (next) assert.ok(one.done < next.started, `${one.name} before ${next.name}`);
    }
    assert.ok(!all.some(({ name }) => /^proj-k8sm.*-(patch|reboot|drain)$/.test(name)));
    assert.ok(!JSON.stringify(get("proj-k8sw01-reboot").inputs).includes("PRIVATE KEY"));
  });

  it("goes on once another boot ID is seen, whatever was silent meanwhile", async () => {
    const answers = ["one", new Error("refused"), new Error("refused"), "", "two"];
    await awaitReboot({
      before: "one",
      ask: async () => {
        const answer = answers.shift() ?? assert.fail("asked after it was answered");
        if (answer instanceof Error) throw answer;
        return answer;
      },
      seconds: 5,
      againSeconds: 0,
      refusal: () => assert.fail("refused"),
    });
    assert.deepEqual(answers, []);
  });

  it("says of a node that does not come back which case of the way back it is", async () => {
    const settings = settingsOf({ packages: "security", servers: true });
    const [server, agent] = [settings.servers[1], settings.agents[0]];
    assert.ok(server && agent);
    const waiting = (said: () => Promise<string>) =>
      awaitReboot({
        before: "one",
        ask: said,
        seconds: 0,
        againSeconds: 0,
        refusal: (last) => lost(settings, agent, last),
      });
    await assert.rejects(
      waiting(() => Promise.reject(new Error("timed out"))),
      /proj-k8sw01: reboot: does not answer over SSH 600 s after .*\(timed out\).*\n {2}next: look at the console of VM 3004 on node02.*worker node failure.*goBack\.nodes/s,
    );
    await assert.rejects(
      waiting(async () => "one"),
      /still has the boot ID that it had 600 s ago/,
    );
    assert.match(
      lost(settings, server, "x"),
      /VM 3002 on node03.*control plane failure: etcd goes on with the other servers/s,
    );
  });
});
