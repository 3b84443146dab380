import assert from "node:assert/strict";
import type { V1Node } from "@kubernetes/client-node";
import { type Finding, judge, judgeTurn } from "../../../observe";
import type { ClusterFacts } from "../../../observe/cluster";
import { clusterNode, facts, healthyCluster, OWNER, pod, settings, TO } from "../facts";

const [A, B, C] = ["proj-k8sw01", "proj-k8sw02", "proj-k8sw03"] as const;
const wide = { ...settings, waves: { ...settings.waves, maxUnavailable: 3, canary: 0 } };

/** A pod of a StatefulSet that its volume ties to its agent, or one that could run anywhere. */
const member = (app: string, node: string, { tied = true, leaving = false } = {}) =>
  pod(`${app}-${node}`, node, {
    metadata: {
      ...pod(`${app}-${node}`, node).metadata,
      labels: { app },
      ...(leaving && { deletionTimestamp: healthyCluster.at }),
    },
    spec: {
      nodeName: node,
      containers: [],
      nodeSelector: tied ? { "kubernetes.io/hostname": node } : {},
    },
  });
const budget = (app: string, disruptionsAllowed: number) => ({
  metadata: { name: app, namespace: "lab" },
  spec: { selector: { matchLabels: { app } } },
  status: { disruptionsAllowed, currentHealthy: 3, desiredHealthy: 3 - disruptionsAllowed } as never,
});
const nodesWith = (...changed: readonly V1Node[]) =>
  settings.nodes.map(({ name }) => {
    const labels = { "kubernetes.io/hostname": name };
    const one = changed.find((node) => node.metadata?.name === name) ?? clusterNode(name);
    return { ...one, metadata: { ...one.metadata, labels } };
  });
const marked = (name: string) =>
  clusterNode(name, { metadata: { name, annotations: { "rke2-upgrade/working": settings.changeId } } });
const upgraded = (name: string) =>
  clusterNode(name, { status: { nodeInfo: { kubeletVersion: TO } as never } });

const seen = (cluster: Partial<ClusterFacts>) => facts({ cluster: { nodes: nodesWith(), ...cluster } });
const together = (findings: readonly Finding[]) =>
  findings.filter(({ check }) => /^proj-k8sw01, .*w02, .*w03: budgets let them/.test(check));
const before = (cluster: Partial<ClusterFacts>) => together(judge(wide, seen(cluster), OWNER));
const verdict = (cluster: Partial<ClusterFacts>) => before(cluster).map((one) => one.verdict);

describe("observe/checks/together", () => {
  const crosswise = {
    pods: ["x", "y"].flatMap((app) => [member(app, A), member(app, B)]),
    budgets: [budget("x", 1), budget("y", 1)],
  };

  it("stops, before a run and at its gate, a wave in which two budgets would have the drains wait for each other", () => {
    const [finding] = before(crosswise);
    assert.equal(finding?.verdict, "fail");
    assert.equal(
      finding?.found,
      `lab/x lets 1 go, there are lab/x-${A}, lab/x-${B}; lab/y lets 1 go, there are lab/y-${A}, lab/y-${B}`,
    );
    assert.match(finding?.next ?? "", /lower agents\.maxUnavailable/);
    assert.ok(finding?.momentary);
    const node = settings.agents.find(({ name }) => name === B);
    assert.ok(node);
    assert.equal(together(judgeTurn(wide, node, seen(crosswise), OWNER))[0]?.verdict, "fail");
    const serial = judge(settings, seen(crosswise), OWNER).filter(({ check }) => check.includes("at once"));
    assert.deepEqual(serial, [], "one after another");
  });

  it("passes what a budget lets go at once, what finds another place, and the pods of one agent alone", () => {
    assert.deepEqual(verdict({}), ["pass"]);
    assert.deepEqual(verdict({ ...crosswise, budgets: [budget("x", 2), budget("y", 2)] }), ["pass"]);
    const free = [A, B].map((node) => member("x", node, { tied: false }));
    assert.deepEqual(verdict({ pods: free, budgets: [budget("x", 1)] }), ["pass"]);
    const alone = [
      member("x", A),
      { ...member("x", A), metadata: { ...member("x", A).metadata, name: "more" } },
    ];
    assert.deepEqual(verdict({ pods: alone, budgets: [budget("x", 1)] }), ["pass"]);
    const other = { ...budget("x", 1), metadata: { name: "x", namespace: "other" } };
    assert.deepEqual(verdict({ pods: crosswise.pods, budgets: [other] }), ["pass"]);
  });

  it("does not count what is missing from its budget already, nor the pods of an agent that is upgraded", () => {
    const budgets = [budget("x", 1)];
    const leaving = [member("x", A, { leaving: true }), member("x", B)];
    assert.deepEqual(verdict({ pods: leaving, budgets }), ["pass"]);
    const pods = [member("x", A), member("x", B)];
    assert.deepEqual(verdict({ pods, budgets, nodes: nodesWith(upgraded(A)) }), ["pass"]);
    const more = [...pods, member("x", C)];
    assert.deepEqual(verdict({ pods: more, budgets, nodes: nodesWith(upgraded(A)) }), ["fail"]);
  });

  it("lets an agent that is in its turn go on, and holds the fellow that would join it", () => {
    const nodes = nodesWith(marked(A));
    assert.deepEqual(verdict({ ...crosswise, nodes }), ["warn"]);
    const gate = (name: string) => {
      const node = settings.agents.find((one) => one.name === name);
      assert.ok(node);
      return together(judgeTurn(wide, node, seen({ ...crosswise, nodes }), OWNER)).map((one) => one.verdict);
    };
    assert.deepEqual(gate(A), []);
    assert.deepEqual(gate(B), ["fail"]);
  });
});
