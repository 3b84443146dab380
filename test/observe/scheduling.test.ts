import assert from "node:assert/strict";
import type { V1Node, V1Pod } from "@kubernetes/client-node";
import fc from "fast-check";
import { admits, allocatable, place, quantity, requestsOf } from "../../observe/scheduling";

const node = (name: string, cpu: string, more: Partial<V1Node> = {}): V1Node => ({
  metadata: { name, labels: { zone: name } },
  status: { allocatable: { cpu, memory: "8Gi", pods: "10" } },
  ...more,
});

const pod = (name: string, cpu: string, spec: object = {}): V1Pod => ({
  metadata: { name, namespace: "lab" },
  spec: { containers: [{ name: "c", resources: { requests: { cpu } } }], ...spec },
});

describe("observe/scheduling", () => {
  it("reads Kubernetes' quantities", () => {
    const told: [string, number][] = [
      ["250m", 0.25],
      ["1Gi", 2 ** 30],
      ["1.5", 1.5],
      ["2k", 2000],
      ["1e3", 1000],
      ["1E", 1e18],
    ];
    for (const [text, value] of told) assert.equal(quantity(text), value, text);
    for (const text of ["", "x", "1X"]) assert.throws(() => quantity(text), /no quantity/);
  });

  it("counts the larger of containers and init containers, and sidecars beside them", () => {
    const init = (cpu: string, more = {}) => ({ name: "i", resources: { requests: { cpu } }, ...more });
    const cpu = (initContainers: object[]) => requestsOf(pod("p", "1", { initContainers })).get("cpu");
    assert.equal(cpu([init("3")]), 3);
    assert.equal(cpu([init("500m")]), 1);
    assert.equal(cpu([init("500m", { restartPolicy: "Always" })]), 1.5);
  });

  it("admits by selector, affinity and taints", () => {
    const here = node("a", "1", { spec: { taints: [{ key: "gpu", value: "x", effect: "NoSchedule" }] } });
    const tolerations = [{ key: "gpu", operator: "Equal", value: "x" }];
    const affinity = (operator: string, values?: string[]) => ({
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: {
          nodeSelectorTerms: [{ matchExpressions: [{ key: "zone", operator, values }] }],
        },
      },
    });
    assert.equal(admits(here, pod("p", "1")), false);
    assert.equal(admits(here, pod("p", "1", { tolerations })), true);
    assert.equal(admits(here, pod("p", "1", { tolerations: [{ operator: "Exists" }] })), true);
    assert.equal(admits(here, pod("p", "1", { tolerations, nodeSelector: { zone: "b" } })), false);
    assert.equal(admits(here, pod("p", "1", { tolerations, affinity: affinity("In", ["a"]) })), true);
    assert.equal(admits(here, pod("p", "1", { tolerations, affinity: affinity("NotIn", ["a"]) })), false);
    assert.equal(admits(here, pod("p", "1", { tolerations, affinity: affinity("DoesNotExist") })), false);
  });

  it("never puts more onto nodes than they offer, and leaves nobody out who would fit alone in an empty one", () => {
    const millis = fc.integer({ min: 1, max: 4000 });
    fc.assert(
      fc.property(
        fc.array(millis, { maxLength: 12 }),
        fc.array(millis, { minLength: 1, maxLength: 5 }),
        (asked, offered) => {
          const pods = asked.map((cpu, i) => pod(`p${i}`, `${cpu}m`));
          const nodes = offered.map((cpu, i) => node(`n${i}`, `${cpu}m`));
          const left = new Set(place(pods, nodes, { nodes, pods: [] }).homeless);
          const sum = (rows: number[]) => rows.reduce((a, b) => a + b, 0);
          const placed = asked.filter((_, i) => !left.has(pods[i] as V1Pod));
          assert.ok(sum(placed) <= sum(offered));
          if (pods.length === 1) assert.equal(left.size === 0, Math.max(...offered) >= (asked[0] ?? 0));
          assert.equal(allocatable(nodes[0] as V1Node).get("pods"), 10);
        },
      ),
    );
  });
});
