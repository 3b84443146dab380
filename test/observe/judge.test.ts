import assert from "node:assert/strict";
import { type Facts, type Finding, judge } from "../../observe";
import { findingLines } from "../../observe/print";
import {
  clusterNode,
  FROM,
  facts,
  healthyCluster,
  healthyEtcd,
  OWNER,
  pod,
  settings,
  TO,
  withEtcd,
} from "./facts";

/** The checks that do not hold. */
const wrong = (seen: Facts, owner: string | undefined = OWNER): Finding[] =>
  judge(settings, seen, owner).filter(({ verdict }) => verdict !== "pass");

/** Exactly one check fails, and it is this one. */
function only(seen: Facts, check: RegExp, verdict: Finding["verdict"] = "fail"): Finding {
  const [first, ...more] = wrong(seen);
  assert.ok(first, "nothing is wrong");
  assert.deepEqual(more, []);
  assert.match(first.check, check);
  assert.equal(first.verdict, verdict);
  assert.ok(first.next, "no next move");
  return first;
}

const working = (name: string, ready: "True" | "False") =>
  clusterNode(name, {
    metadata: {
      name,
      annotations: { "rke2-upgrade/working": settings.changeId, "rke2-upgrade/cordoned": settings.changeId },
    },
    spec: { unschedulable: true },
    status: { conditions: [{ type: "Ready", status: ready }] },
  });

/** The cluster's nodes with one of them replaced. */
const withNode = (node: ReturnType<typeof clusterNode>) =>
  settings.nodes.map(({ name }) => (name === node.metadata?.name ? node : clusterNode(name)));

describe("observe/judge", () => {
  it("finds nothing wrong with a healthy cluster, before and during the mix of versions", () => {
    assert.deepEqual(wrong(facts()), []);
    assert.deepEqual(wrong(facts({ node: ["proj-k8sm01", { versionOnDisk: TO, versionRunning: TO }] })), []);
  });

  it("stops for a node on a third version, one that is down, and one whose process is older than its file", () => {
    only(
      facts({ node: ["proj-k8sw01", { versionOnDisk: "v1.34.4+rke2r1", versionRunning: "v1.34.4+rke2r1" }] }),
      /w01: runs/,
    );
    only(facts({ node: ["proj-k8sw01", { service: "failed" }] }), /w01: runs/);
    only(facts({ node: ["proj-k8sw01", { versionOnDisk: TO }] }), /w01: runs/);
  });

  it("lets the node in its turn be down, cordoned and in between", () => {
    const seen = facts({
      node: ["proj-k8sm01", { versionOnDisk: TO, versionRunning: "", service: "activating" }],
      cluster: { nodes: withNode(working("proj-k8sm01", "False")) },
    });
    assert.deepEqual(wrong(seen), []);
  });

  it("stops for another node that is down while one is in its turn", () => {
    const nodes = withNode(working("proj-k8sw01", "False")).map((node) =>
      node.metadata?.name === "proj-k8sw02"
        ? clusterNode("proj-k8sw02", { status: { conditions: [{ type: "Ready", status: "Unknown" }] } })
        : node,
    );
    assert.match(only(facts({ cluster: { nodes } }), /nodes Ready/).found, /proj-k8sw02/);
  });

  it("allows one silent etcd member only while a server is in its turn", () => {
    const members = healthyEtcd.members.map((one, i) => ({
      ...one,
      version: i === 2 ? undefined : "3.6.16",
    }));
    const nodes = withNode(working("proj-k8sm03", "False"));
    only(withEtcd("proj-k8sm01", { members }), /etcd/);
    assert.deepEqual(wrong(withEtcd("proj-k8sm01", { members }, { nodes })), []);
    const none = members.map((one) => ({ ...one, version: undefined }));
    only(withEtcd("proj-k8sm01", { members: none }, { nodes }), /etcd/);
  });

  it("stops for a stale lease, a foreign cordon, a node that nobody named, a slow API", () => {
    const old = [
      { metadata: { name: "proj-k8sw03" }, spec: { renewTime: new Date("2026-09-06T00:58:00Z") as never } },
    ];
    only(facts({ cluster: { leases: old } }), /leases/);
    only(
      facts({ cluster: { nodes: withNode(clusterNode("proj-k8sw02", { spec: { unschedulable: true } })) } }),
      /cordons/,
    );
    only(
      facts({
        cluster: {
          nodes: [...settings.nodes.map(({ name }) => clusterNode(name)), clusterNode("stranger")],
          leases: [
            ...healthyCluster.leases,
            { metadata: { name: "stranger" }, spec: { renewTime: healthyCluster.at as never } },
          ],
        },
      }),
      /as configured/,
    );
    only(facts({ cluster: { readyMs: 2500 } }), /API answers/);
  });

  it("stops for what another change holds, and not for our own", () => {
    const held = { node: ["proj-k8sm02", { owner: "other CR-9 by ann@desk since 2026" }] } as const;
    assert.match(only(facts({ node: [...held.node] }), /held/).found, /CR-9 by ann@desk/);
    only(facts({ cluster: { lock: { holder: "other CR-9 by ann@desk", since: "2026" } } }), /cluster: held/);
    assert.deepEqual(wrong(facts({ cluster: { lock: { holder: `${OWNER} CR-1`, since: "2026" } } })), []);
  });

  it("names the pods that a drain would hurt, with the consent each needs", () => {
    const bare = pod("bare", "proj-k8sw01", { metadata: { name: "bare", namespace: "lab" } });
    const slow = pod("slow", "proj-k8sw04", {
      spec: { nodeName: "proj-k8sw04", containers: [], terminationGracePeriodSeconds: 250 },
    });
    const slower = pod("slower", "proj-k8sw02", {
      spec: { nodeName: "proj-k8sw02", containers: [], terminationGracePeriodSeconds: 250 },
    });
    const found = only(facts({ cluster: { pods: [bare, slow, slower] } }), /drain would hurt/).found;
    assert.match(found, /lab\/bare \(.*consents\.barePods\)/);
    assert.match(found, /lab\/slower \(wants 250 s to end, gets 120: consents\.longGrace\)/);
    assert.doesNotMatch(found, /lab\/slow /, "the GPU node has the longer grace");
  });

  it("refuses nodes that Rancher provisions and hosts on cgroup v1", () => {
    only(facts({ node: ["proj-k8sw01", { rancherManaged: true }] }), /Rancher/);
    only(facts({ node: ["proj-k8sw01", { cgroup: "tmpfs" }] }), /control groups/);
  });

  it("says what was not measured, and why", () => {
    const seen = { ...facts(), cluster: { missing: "connect ECONNREFUSED" } };
    assert.match(only(seen, /API answers/, "not measured").found, /ECONNREFUSED/);
  });

  it("prints numbered lines, the figure and the wanted value in each", () => {
    const lines = findingLines(judge(settings, facts(), OWNER));
    for (const [i, { text, warn }] of lines.entries()) {
      assert.match(text, new RegExp(`^ *${i + 1}\\. ok  .+: .+ \\(wanted .+\\)$`));
      assert.equal(warn, false);
    }
    assert.ok(lines.some(({ text }) => text.includes(`installed ${FROM}`)));
  });
});
