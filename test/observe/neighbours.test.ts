import assert from "node:assert/strict";
import type { V1Node, V1Pod } from "@kubernetes/client-node";
import { heldOff, type Placed } from "../../observe/neighbours";

const node = (name: string, zone?: string): V1Node => ({
  metadata: { name, labels: zone ? { zone } : {} },
});
const pod = (labels: Record<string, string>, spec: object = {}, namespace = "lab"): V1Pod => ({
  metadata: { name: "p", namespace, labels },
  spec: { containers: [{ name: "c" }], ...spec },
});
const [a, b, c] = [node("a", "east"), node("b", "east"), node("c", "west")];
const on = (where: V1Node, what: V1Pod): Placed => ({ node: where, pod: what });
const why = (what: V1Pod, where: V1Node, ...running: Placed[]) => heldOff(what, where, running, [a, b, c]);

const anti = (topologyKey: string, more: object = {}) => ({
  affinity: {
    podAntiAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: [
        { topologyKey, labelSelector: { matchLabels: { app: "x" } }, ...more },
      ],
    },
  },
});

describe("observe/neighbours", () => {
  it("keeps a pod off by its own required anti-affinity, in the domain that it names", () => {
    const own = pod({ app: "x" }, anti("kubernetes.io/hostname"));
    assert.equal(why(own, a, on(a, pod({ app: "x" }))), "its required anti-affinity");
    assert.equal(why(own, b, on(a, pod({ app: "x" }))), undefined);
    assert.equal(why(own, a, on(a, pod({ app: "y" }))), undefined);
    const zonal = pod({ app: "x" }, anti("zone"));
    assert.equal(why(zonal, b, on(a, pod({ app: "x" }))), "its required anti-affinity");
    assert.equal(why(zonal, c, on(a, pod({ app: "x" }))), undefined);
    assert.equal(why(zonal, node("d"), on(a, pod({ app: "x" }))), undefined);
  });

  it("honours the anti-affinity of those that are there already", () => {
    const there = on(a, pod({ app: "z" }, anti("kubernetes.io/hostname")));
    assert.equal(why(pod({ app: "x" }), a, there), "its required anti-affinity");
    assert.equal(why(pod({ app: "y" }), a, there), undefined);
  });

  it("looks in the namespaces that a term names", () => {
    const elsewhere = on(a, pod({ app: "x" }, {}, "other"));
    assert.equal(why(pod({}, anti("kubernetes.io/hostname")), a, elsewhere), undefined);
    for (const more of [{ namespaces: ["other"] }, { namespaceSelector: {} }])
      assert.equal(
        why(pod({}, anti("kubernetes.io/hostname", more)), a, elsewhere),
        "its required anti-affinity",
      );
  });

  it("keeps two pods apart that want one host port", () => {
    const listens = (ports: object) => pod({}, { containers: [{ name: "c", ports: [ports] }] });
    const web = listens({ containerPort: 80, hostPort: 80 });
    assert.equal(why(web, a, on(a, web)), "its host port");
    assert.equal(why(web, b, on(a, web)), undefined);
    assert.equal(
      why(web, a, on(a, listens({ containerPort: 80, hostPort: 80, protocol: "UDP" }))),
      undefined,
    );
    assert.equal(why(web, a, on(a, listens({ containerPort: 80 }))), undefined);
    const at = (hostIP: string) => listens({ containerPort: 80, hostPort: 80, hostIP });
    assert.equal(why(at("10.0.0.1"), a, on(a, at("10.0.0.2"))), undefined);
    assert.equal(why(at("10.0.0.1"), a, on(a, web)), "its host port");
  });

  it("counts a hard topology spread over all domains, the node that is left among them", () => {
    const spread = (whenUnsatisfiable = "DoNotSchedule", maxSkew = 1) =>
      pod(
        { app: "x" },
        {
          topologySpreadConstraints: [
            {
              topologyKey: "kubernetes.io/hostname",
              whenUnsatisfiable,
              maxSkew,
              labelSelector: { matchLabels: { app: "x" } },
            },
          ],
        },
      );
    // One on b, one on c; a is cordoned and has none: a second one on b would be two more than there.
    const running = [on(b, spread()), on(c, spread())];
    assert.equal(why(spread(), b, ...running), "its topology spread");
    assert.equal(why(spread(), a, ...running), undefined);
    assert.equal(why(spread("ScheduleAnyway"), b, ...running), undefined);
    assert.equal(why(spread("DoNotSchedule", 2), b, ...running), undefined);
    assert.equal(why(spread(), b, on(c, spread())), undefined);
  });
});
