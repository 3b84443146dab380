import assert from "node:assert/strict";
import { planOf } from "../../components/plan";
import { awaitReboot, lost } from "../../components/rebooting";
import { providerUntil } from "../../components/rebootProvider";
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

  it("tells the reboot which node has a GPU: it boots no kernel without its driver", () => {
    const settings = settingsOf({ packages: "full" });
    assert.deepEqual(
      settings.agents.map((node) => reboot(settings, node).args.at(-1)),
      settings.agents.map(({ gpu }) => String(gpu)),
    );
    assert.ok(settings.agents.some(({ gpu }) => gpu));
  });

  const ROUND = { rke2Version: UNDER_WAY.acceptedVersion, changeId: "CR-2" };
  const round = (osPatch: object) =>
    settingsOf({ packages: "security", round: "CR-2", ...osPatch }, { ...ROUND });

  it("leaves RKE2 out of a turn in a round of its own, and proves it all the same", () => {
    const settings = round({ servers: true });
    const [server, agent] = [settings.servers[0], settings.agents[0]];
    assert.ok(server && agent);
    const before = [
      "gate-cluster",
      "gate-node",
      "cordon",
      "drain",
      "patch",
      "reboot",
      "restart",
      "verify-node",
    ];
    const turns = [serverTurn(settings, server), agentTurn(settings, agent)].map((turn) =>
      turn.map(({ id }) => id),
    );
    assert.deepEqual(turns, [
      [...before, "uncordon", "verify-cluster"],
      [...before, "verify-cluster", "uncordon"],
    ]);
  });

  it("lays a round out as a change: the way back before the first node, nobody's turn who is not patched", async () => {
    for (const servers of [false, true]) {
      const all = await runProgram({
        ...UNDER_WAY,
        ...ROUND,
        osPatch: { packages: "security", servers, round: "CR-2" },
      });
      const get = (name: string) => all.find((one) => one.name === name) ?? assert.fail(name);
      for (const node of settingsOf({}).nodes) {
        assert.equal(get(`${node.name}-vm-snapshot`).retainOnDelete, true);
        const turn = all.filter(({ name }) => name === `${node.name}-turn-gate`).length;
        assert.equal(turn, node.role === "agent" || servers ? 1 : 0, node.name);
      }
      assert.ok(!all.some(({ name }) => /-(install|backup-config)$/.test(name)));
      const first = get(servers ? "proj-k8sm01-patch" : "proj-k8sw01-patch");
      for (const before of ["preflight", "way-back-etcd-backup", "proj-k8sw04-vm-snapshot"])
        assert.ok(get(before).done < first.started, before);
      assert.ok(get("proj-k8sw04-uncordon").done < get("validation-validate").started);
      // Its program and its plan are one.
      const planned = planOf(
        parseSettings(
          lab({ ...UNDER_WAY, ...ROUND, osPatch: { packages: "security", servers, round: "CR-2" } }),
        ),
      );
      const patched = planned.filter(({ id }) => id.endsWith("-patch")).map(({ id }) => id);
      assert.deepEqual(
        patched,
        all.filter(({ name }) => name.endsWith("-patch")).map(({ name }) => name),
      );
    }
  });

  it("settles once the round is accepted: no node has a turn, and what it leaves is proven and let go", async () => {
    const osPatch = { packages: "security", round: "CR-2", acceptedRound: "CR-2" };
    const all = await runProgram({ ...UNDER_WAY, ...ROUND, osPatch });
    assert.ok(!all.some(({ name }) => /-(patch|reboot|vm-snapshot|turn-gate)$/.test(name)));
    assert.ok(all.some(({ name }) => name === "settled-release"));
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

  it("asks for the reboot anew until the node's turn is over: its patches may have run again", async () => {
    const over = new Set<string>();
    const { diff } = providerUntil(async () => over);
    const left = { node: "w1", when: "always", wanted: "v2", accepted: "v1", changeId: "CR-1" } as const;
    const inputs = { ...left, attempt: 1, owner: "o" };
    const changes = async (news: object = {}) =>
      (await diff?.("reboot-w1", { ...inputs, stdout: "{}" }, { ...inputs, ...news }))?.changes;
    assert.equal(await changes(), true);
    over.add("w1");
    assert.equal(await changes(), false);
    assert.equal(await changes({ when: "never" }), true);
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
