import assert from "node:assert/strict";
import fc from "fast-check";
import { type RunningNode, skewFaults } from "../../config/skew";
import { judgeStable } from "../../config/stable";
import { judgeMove } from "../../config/versionPolicy";
import { anyVersion, v } from "./releases";

const node = (name: string, role: "server" | "agent", version: string): RunningNode => ({
  name,
  role,
  version: v(version),
});
const cluster = (servers: string[], agents: string[]): RunningNode[] => [
  ...servers.map((version, i) => node(`m${i}`, "server", version)),
  ...agents.map((version, i) => node(`w${i}`, "agent", version)),
];
const texts = (nodes: readonly RunningNode[]) =>
  skewFaults(nodes, v(NEW))
    .map(({ text }) => text)
    .join();
const OLD = "v1.35.4+rke2r1";
const NEW = "v1.36.3+rke2r1";

describe("config/skew", () => {
  it("finds a minor upgrade sound from end to end, and wherever it stopped", () => {
    assert.deepEqual(skewFaults(cluster([OLD, OLD, OLD], [OLD, OLD]), v(NEW)), []);
    assert.deepEqual(skewFaults(cluster([NEW, OLD, OLD], [OLD, OLD]), v(NEW)), []);
    assert.deepEqual(skewFaults(cluster([NEW, NEW, NEW], [NEW, OLD]), v(NEW)), []);
  });

  it("names an agent that ran ahead, servers two minors apart, and a kubelet too old for what comes", () => {
    assert.match(texts(cluster([OLD], [NEW])), /kubelet of w0 \(1\.36\) is newer than .*m0 \(1\.35\)/);
    assert.match(texts(cluster([NEW, "v1.34.1+rke2r1"], [])), /m0 \(1\.36\) and m1 \(1\.34\)/);
    const old = texts(cluster([OLD], ["v1.32.9+rke2r1"]));
    assert.match(old, /w0 \(1\.32\) is more than 3 minors older than the API server of m0 \(1\.36\)/);
    assert.deepEqual(skewFaults(cluster([OLD], ["v1.33.9+rke2r1"]), v(NEW)), []);
  });

  it("allows every move that the policy allows on a cluster of one version, at every moment of the run", () => {
    const counts = fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 0, max: 5 }), fc.nat(10));
    fc.assert(
      fc.property(anyVersion, fc.nat(1), fc.nat(5), counts, (from, up, patch, [servers, agents, done]) => {
        const to = { ...from, minor: from.minor + up, patch: up ? patch : from.patch + patch };
        fc.pre(judgeMove(from, to).allowed);
        const nodes = Array.from(
          { length: servers + agents },
          (_, i): RunningNode => ({
            name: `n${i}`,
            role: i < servers ? "server" : "agent",
            version: i < done ? to : from,
          }),
        );
        assert.deepEqual(skewFaults(nodes, to), []);
      }),
    );
  });

  it("knows which the run itself ends: a server that went back beside an agent that is done, and no other", () => {
    const ends = (nodes: readonly RunningNode[], target: string) => [
      ...new Set(skewFaults(nodes, v(target)).map((fault) => fault.ends)),
    ];
    assert.deepEqual(ends(cluster([NEW, OLD, NEW], [NEW, OLD]), NEW), [true]);
    // Settled on the older one, nobody would bring that server up; nor an agent that is further than all will be.
    assert.deepEqual(ends(cluster([NEW, OLD, NEW], [NEW, OLD]), OLD), [false]);
    assert.ok(ends(cluster([OLD], ["v1.37.0+rke2r1"]), NEW).includes(false));
    // What only the run would make is none that it ends.
    assert.deepEqual(ends(cluster([OLD], ["v1.32.9+rke2r1"]), NEW), [false]);
  });

  it("finds whatever has an agent ahead of a server", () => {
    fc.assert(
      fc.property(anyVersion, anyVersion, (server, agent) => {
        fc.pre(agent.minor > server.minor && agent.major === server.major);
        const nodes: RunningNode[] = [
          { name: "m", role: "server", version: server },
          { name: "w", role: "agent", version: agent },
        ];
        assert.ok(skewFaults(nodes, agent).length > 0);
      }),
    );
  });
});

describe("config/stable: the N-2 rule", () => {
  const verdict = (from: string, to: string, latest: string) =>
    judgeStable(v(from), v(to), v(latest)).verdict;

  it("allows two minors behind, refuses three, and lets an older cluster step nearer", () => {
    assert.equal(verdict("v1.34.1+rke2r1", OLD, "v1.37.0+rke2r1"), "allowed");
    assert.equal(verdict("v1.34.1+rke2r1", "v1.34.9+rke2r1", "v1.37.0+rke2r1"), "tooOld");
    assert.equal(verdict("v1.33.1+rke2r1", "v1.34.9+rke2r1", "v1.37.0+rke2r1"), "stepping");
    assert.equal(verdict(OLD, NEW, OLD), "allowed");
  });

  it("leads every cluster that follows it within the rule, one minor at a time", () => {
    fc.assert(
      fc.property(fc.integer({ min: 20, max: 40 }), fc.integer({ min: 0, max: 20 }), (minor, behind) => {
        const latest = { major: 1, minor, patch: 0, revision: 1 };
        let at = { ...latest, minor: Math.max(0, minor - behind) };
        for (let step = 0; at.minor < minor; step++) {
          const next = { ...at, minor: at.minor + 1 };
          assert.notEqual(judgeStable(at, next, latest).verdict, "tooOld");
          at = next;
          assert.ok(step <= 40);
        }
        assert.equal(judgeStable(at, at, latest).verdict, "allowed");
      }),
    );
  });
});
