import assert from "node:assert/strict";
import type { V1Pod } from "@kubernetes/client-node";
import { describe, it } from "mocha";
import { describeCriteria, judgeCriteria } from "../../observe";
import type { ClusterFacts } from "../../observe/cluster";
import { AT, clusterNode, facts as labFacts, pod, settings } from "./facts";

const facts = (cluster: Partial<ClusterFacts>) => labFacts({ cluster });
const WHOLE = { etcdWhole: true };
const met = (...args: Parameters<typeof judgeCriteria>) => judgeCriteria(...args).map((one) => one.met);

const notReady = (minutes: Record<string, number>) =>
  settings.nodes.map(({ name }) =>
    clusterNode(name, {
      status: {
        conditions: [
          name in minutes
            ? {
                type: "Ready",
                status: "Unknown",
                lastTransitionTime: new Date(AT.getTime() - (minutes[name] ?? 0) * 60_000),
              }
            : { type: "Ready", status: "True" },
        ],
      },
    }),
  );

const homelessFor = (seconds: number): Partial<V1Pod> => ({
  status: {
    phase: "Pending",
    conditions: [
      {
        type: "PodScheduled",
        status: "False",
        lastTransitionTime: new Date(AT.getTime() - seconds * 1000),
      },
    ],
  },
});
const homeless = homelessFor(301);

describe("observe/criteria (procedure §4.3)", () => {
  it("are not met by a cluster that is well", () => {
    assert.deepEqual(met(settings, facts({}), WHOLE), [false, false, false, false]);
    assert.match(describeCriteria(judgeCriteria(settings, facts({}), WHOLE))[0] ?? "", /none is met/);
  });

  it("are met by two servers that are NotReady for over a quarter of an hour, not by one, nor by two for less", () => {
    const servers = (minutes: Record<string, number>) =>
      met(settings, facts({ nodes: notReady(minutes) }), WHOLE)[0];
    assert.equal(servers({ "proj-k8sm01": 16, "proj-k8sm02": 20 }), true);
    assert.equal(servers({ "proj-k8sm01": 16, "proj-k8sm02": 15 }), false);
    assert.equal(servers({ "proj-k8sm01": 60, "proj-k8sw01": 60 }), false);
  });

  it("are met by a critical pod without a node; where none is named critical the operator judges", () => {
    const pods = [pod("beam", "", homeless)];
    const unnamed = { ...settings, criticalWorkloads: undefined };
    assert.equal(met(unnamed, facts({ pods }), WHOLE)[1], undefined);
    const named = { ...settings, criticalWorkloads: "critical=true" };
    assert.equal(met(named, facts({ pods, critical: pods }), WHOLE)[1], true);
    assert.equal(met(named, facts({ pods }), WHOLE)[1], false);
    // A pod that was just drained looks for its node.
    assert.equal(met(named, facts({ critical: [pod("beam", "", homelessFor(5))] }), WHOLE)[1], false);
  });

  it("are met by etcd that differs, and say where nobody could tell", () => {
    assert.equal(met(settings, facts({}), { etcdWhole: false })[2], true);
    assert.equal(met(settings, facts({}), {})[2], undefined);
    const raised = judgeCriteria(settings, facts({}), { etcdWhole: false, etcdWhy: "alarms: CORRUPT" })[2];
    assert.match(raised?.found ?? "", /not whole: alarms: CORRUPT/);
  });

  it("are met by objects that are gone, whatever etcd's hashes say; what nobody counted changes nothing", () => {
    const change = (count: number) => ({
      ...{ since: "2026-11-24T09:00:00.000Z", kinds: 2, same: 1, differing: [] },
      suspected: count > 0 ? [{ kind: "ConfigMap", before: count, now: 0 }] : [],
    });
    const data = (more: Parameters<typeof judgeCriteria>[2]) => judgeCriteria(settings, facts({}), more)[2];
    const gone = data({ ...WHOLE, objects: { value: change(12) } });
    assert.equal(gone?.met, true);
    assert.match(gone?.found ?? "", /suspected: .*ConfigMap 12 → 0/);
    assert.equal(data({ objects: { value: change(12) } })?.met, true);
    assert.equal(data({ ...WHOLE, objects: { value: change(0) } })?.met, false);
    const uncounted = { objects: { missing: "refused" } };
    assert.equal(data({ ...WHOLE, ...uncounted })?.met, false);
    assert.equal(data(uncounted)?.met, undefined);
    assert.match(data(uncounted)?.found ?? "", /objects by kind: not measured: refused/);
  });

  it("are met by an API that is away, or a Rancher without a Ready pod", () => {
    const away = { ...labFacts(), cluster: { missing: "connection refused" } };
    assert.deepEqual(met(settings, away, {}), [undefined, undefined, undefined, true]);
    // Nor does anything say so of an API on servers that do not even answer over SSH.
    const silent = new Map(settings.nodes.map(({ name }) => [name, { missing: "refused" }] as const));
    const unseen = judgeCriteria(settings, { ...away, nodes: silent }, {});
    assert.ok(unseen.every((one) => one.met === undefined));
    assert.match(describeCriteria(unseen)[0] ?? "", /none is known to be met, 4 could not be judged/);
    const rancher = (ready: "True" | "False") =>
      pod("rancher-1", "proj-k8sw01", {
        spec: { containers: [{ name: "rancher", image: "rancher/rancher:v2.14.0" }] },
        status: { phase: "Running", conditions: [{ type: "Ready", status: ready }] },
      });
    assert.equal(met(settings, facts({ pods: [rancher("False")] }), WHOLE)[3], true);
    assert.equal(met(settings, facts({ pods: [rancher("False"), rancher("True")] }), WHOLE)[3], false);
  });
});
