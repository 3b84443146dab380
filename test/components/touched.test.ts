import assert from "node:assert/strict";
import { isUntouched, touched } from "../../components/touched";
import { clusterNode, FROM, facts, healthyNode, settings, TO } from "../observe/facts";

const [SERVER, AGENT] = ["proj-k8sm02", "proj-k8sw01"];
const ALL = settings.nodes.map(({ name }) => name);
const of = (...[seen, by = settings]: [ReturnType<typeof facts>, typeof settings?]) => {
  const { nodes, upgraded } = touched(by, seen, FROM);
  return [[...nodes], [...upgraded]];
};
const { changeId } = settings;
/** A node in its turn. */
const marked = (name: string, kubeletVersion = FROM) =>
  clusterNode(name, {
    metadata: { name, annotations: { "rke2-upgrade/working": changeId } },
    status: { nodeInfo: { kubeletVersion } as never },
  });
const silent = (name: string, cluster: Parameters<typeof facts>[0] = {}) => {
  const seen = facts(cluster);
  return { ...seen, nodes: new Map([...seen.nodes, [name, { missing: "no answer" }] as const]) };
};

describe("components/touched", () => {
  it("is nobody before a change, and nobody by a mark alone", () => {
    assert.deepEqual(of(facts()), [[], []]);
    assert.deepEqual(of(facts({ cluster: { nodes: ALL.map((name) => marked(name)) } })), [[], []]);
  });

  it("is a node with another RKE2, on its disk or running; not one that runs none", () => {
    for (const more of [{ versionOnDisk: TO }, { versionRunning: TO }])
      assert.deepEqual(of(facts({ node: [SERVER, more] })), [[SERVER], [SERVER]]);
    assert.deepEqual(of(facts({ node: [SERVER, { versionRunning: "" }] })), [[], []]);
  });

  it("is a node that this change has begun to patch, its RKE2 still the accepted one; etcd can still be saved", () => {
    for (const name of [SERVER, AGENT])
      assert.deepEqual(of(facts({ node: [name, { patchedUnder: ["CR-1", changeId] }] })), [[name], []]);
    assert.deepEqual(of(facts({ node: [AGENT, { patchedUnder: ["CR-1"] }] })), [[], []]);
  });

  it("is so though patches were switched off since", () => {
    const off = { ...settings, osPatch: { ...settings.osPatch, packages: "none" as const } };
    assert.deepEqual(of(facts({ node: [AGENT, { patchedUnder: [changeId] }] }), off), [[AGENT], []]);
  });

  it("goes by the cluster's word of a silent node, its mark or its version, and without that counts it", () => {
    const cluster = (node: ReturnType<typeof clusterNode>) => ({ cluster: { nodes: [node] } });
    assert.deepEqual(of(silent(AGENT, cluster(clusterNode(AGENT)))), [[], []]);
    assert.deepEqual(of(silent(AGENT, cluster(marked(AGENT)))), [[AGENT], [AGENT]]);
    // Done with in a round of OS patches, whose version does not move.
    const done = clusterNode(AGENT, {
      metadata: { name: AGENT, annotations: { "rke2-upgrade/patched": changeId } },
    });
    assert.deepEqual(of(silent(AGENT, cluster(done)))[0], [AGENT]);
    assert.deepEqual(of({ ...silent(AGENT), cluster: { missing: "silent" } }), [[AGENT], [AGENT]]);
  });

  it("lets a change be withdrawn only where no node was patched by it either", () => {
    assert.ok(isUntouched(FROM, changeId, healthyNode));
    assert.ok(isUntouched(FROM, changeId, { ...healthyNode, patchedUnder: ["CR-1"] }));
    for (const more of [{ patchedUnder: [changeId] }, { versionOnDisk: TO }, { service: "failed" }])
      assert.ok(!isUntouched(FROM, changeId, { ...healthyNode, ...more }));
  });
});
