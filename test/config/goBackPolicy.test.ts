import assert from "node:assert/strict";
import fc from "fast-check";
import { parseSettings } from "../../config";
import { judgeGoBack, versionsToGoTo } from "../../config/goBackPolicy";
import { ConfigError } from "../../config/mistakes";
import { lab, RECIPIENT } from "./lab";

const A = "v1.36.3+rke2r1";
const WITHIN = "v1.36.3+rke2r2";
const OVER = "v1.37.0+rke2r1";
const SERVERS = ["proj-k8sm01", "proj-k8sm02", "proj-k8sm03"];
const AGENTS = ["proj-k8sw01", "proj-k8sw02", "proj-k8sw03", "proj-k8sw04"];

const backup = { directory: "backups", recipients: [RECIPIENT], identityFile: "/key.txt" };

/** Reasons for which the lab's config with this way back is refused; empty where it is allowed. */
function refusals(goBack: unknown, to: string, more: Record<string, unknown> = {}): string {
  const config = { rke2Version: to, acceptedVersion: A, ingressController: "none", goBack, backup, ...more };
  try {
    parseSettings(lab(config));
    return "";
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return error.message;
  }
}

describe("config/goBackPolicy", () => {
  it("takes the whole cluster back in place within a minor, and only there", () => {
    assert.equal(refusals({ strategy: "reinstall" }, WITHIN), "");
    assert.match(
      refusals({ strategy: "reinstall" }, OVER),
      /goBack\.strategy.*in place is unsupported.*restore/s,
    );
  });

  it("goes to the newest snapshot of all where machines are lost within a minor, else to the accepted version's", () => {
    const of = (strategy: "reinstall" | "restore" | "rollback", to: string) =>
      versionsToGoTo({ acceptedVersion: A, rke2Version: to, goBack: { strategy } });
    assert.deepEqual(of("rollback", WITHIN), [A, WITHIN]);
    assert.deepEqual(of("rollback", A), [A]);
    for (const [strategy, to] of [
      ["rollback", OVER],
      ["restore", OVER],
      ["restore", WITHIN],
      ["reinstall", WITHIN],
    ] as const)
      assert.deepEqual(of(strategy, to), [A], `${strategy} ${to}`);
    assert.deepEqual(versionsToGoTo({ acceptedVersion: A, rke2Version: WITHIN }), [A]);
  });

  it("takes etcd's snapshot anywhere, with an identity to open it", () => {
    for (const strategy of ["restore", "rollback"]) {
      for (const to of [WITHIN, OVER]) {
        assert.equal(refusals({ strategy }, to), "");
        const without = { backup: { ...backup, identityFile: undefined } };
        assert.match(refusals({ strategy }, to, without), /backup\.identityFile/);
      }
    }
    assert.equal(
      refusals({ strategy: "reinstall" }, WITHIN, { backup: { ...backup, identityFile: undefined } }),
      "",
    );
  });

  it("keys on etcd's minor too, which has changed within a Kubernetes patch", () => {
    const config = { acceptedVersion: "v1.33.10+rke2r1" };
    assert.match(refusals({ strategy: "reinstall" }, "v1.33.11+rke2r1", config), /restore/);
  });

  it("mends agents by either way, whatever the versions", () => {
    for (const strategy of ["reinstall", "rollback"]) {
      assert.equal(refusals({ strategy, nodes: AGENTS }, OVER), "");
    }
  });

  it("puts one server's VM back beside two that live, never two, nor across etcd's minor", () => {
    assert.equal(refusals({ strategy: "rollback", nodes: ["proj-k8sm02"] }, WITHIN), "");
    assert.match(refusals({ strategy: "rollback", nodes: SERVERS.slice(1) }, WITHIN), /13509/);
    assert.match(refusals({ strategy: "rollback", nodes: SERVERS }, WITHIN), /13509/);
    assert.match(refusals({ strategy: "rollback", nodes: ["proj-k8sm02"] }, OVER), /older etcd cannot join/);
    const alone = {
      nodes: JSON.parse(lab().nodes ?? "[]").filter((n: { name: string }) => !/m0[23]/.test(n.name)),
    };
    assert.match(refusals({ strategy: "rollback", nodes: ["proj-k8sm01"] }, WITHIN, alone), /quorum/);
  });

  it("reinstalls servers by name within a minor only", () => {
    assert.equal(refusals({ strategy: "reinstall", nodes: ["proj-k8sm01", "proj-k8sw01"] }, WITHIN), "");
    assert.match(
      refusals({ strategy: "reinstall", nodes: ["proj-k8sm01"] }, OVER),
      /proj-k8sm01.*unsupported/s,
    );
  });

  it("restores no part of a cluster", () => {
    assert.match(refusals({ strategy: "restore", nodes: AGENTS }, WITHIN), /data of the whole cluster/);
  });

  it("knows every node by name, once", () => {
    assert.match(
      refusals({ strategy: "reinstall", nodes: ["nobody"] }, WITHIN),
      /goBack\.nodes\[0\].*"nobody"/s,
    );
    assert.match(
      refusals({ strategy: "reinstall", nodes: ["proj-k8sw01", "proj-k8sw01"] }, WITHIN),
      /nodes\[1\].*again/s,
    );
    assert.match(refusals({ strategy: "reinstall", nodes: [] }, WITHIN), /goBack\.nodes/);
  });

  it("leaves out agents alone, by name, from a way back of the whole cluster alone", () => {
    for (const strategy of ["reinstall", "restore", "rollback"])
      assert.equal(refusals({ strategy, without: AGENTS.slice(1) }, WITHIN), "");
    const without = (...names: string[]) => refusals({ strategy: "restore", without: names }, OVER);
    assert.match(without("proj-k8sm02"), /goBack\.without\[0\].*each holds etcd's data/s);
    assert.match(without("nobody"), /goBack\.without\[0\].*"nobody"/s);
    assert.match(without("proj-k8sw01", "proj-k8sw01"), /goBack\.without\[1\].*again/s);
    const both = { strategy: "rollback", nodes: ["proj-k8sw01"], without: ["proj-k8sw02"] };
    assert.match(refusals(both, WITHIN), /goBack\.without.*beside goBack\.nodes/s);
  });

  it("never allows what loses a cluster, and says for each refusal what to do", () => {
    const node = fc.constantFrom(...SERVERS, ...AGENTS);
    const asked = fc.record({
      strategy: fc.constantFrom("reinstall" as const, "restore" as const, "rollback" as const),
      nodes: fc.option(fc.uniqueArray(node, { minLength: 1 }), { nil: undefined }),
    });
    const nodes = [
      ...SERVERS.map((name) => ({ name, role: "server" })),
      ...AGENTS.map((name) => ({ name, role: "agent" })),
    ];
    fc.assert(
      fc.property(asked, fc.constantFrom(WITHIN, OVER), (goBack, to) => {
        const around = { rke2Version: to, acceptedVersion: A, nodes, backup };
        const refused = judgeGoBack(goBack, around);
        for (const { next, why } of refused) assert.ok(next && why);
        if (refused.length > 0) return;
        const servers = (goBack.nodes ?? SERVERS).filter((name) => SERVERS.includes(name));
        // An older control plane in place on newer data.
        if (servers.length > 0 && to === OVER) assert.notEqual(goBack.strategy, "reinstall");
        // Old etcd data beside a live quorum.
        if (goBack.nodes && goBack.strategy === "rollback") assert.ok(servers.length <= 1);
        if (goBack.nodes) assert.notEqual(goBack.strategy, "restore");
      }),
    );
  });
});
