import assert from "node:assert/strict";
import type { V1Node } from "@kubernetes/client-node";
import { type Settings, wavesOf } from "../../../config";
import { type Facts, type Finding, judge, judgeTurn } from "../../../observe";
import { clusterNode, FROM, facts, OWNER, settings, TO } from "../facts";

const wide = { ...settings, waves: { ...settings.waves, maxUnavailable: 3, canary: 0 } };
const [A, B, C] = (wavesOf(wide)[0]?.nodes ?? []).map(({ name }) => name) as [string, string, string];

/** What Proxmox VE and the cluster say, with VMs moved by their nodes' names, and nodes that are other than they were. */
function seen(moved: Readonly<Record<string, string>>, changed: readonly V1Node[] = []): Facts {
  const places = settings.nodes.map(({ name, vmId, proxmoxNode }) => ({
    ...{ vmId, name, running: true },
    host: moved[name] ?? proxmoxNode,
  }));
  const nodes = settings.nodes.map(
    ({ name }) => changed.find((node) => node.metadata?.name === name) ?? clusterNode(name),
  );
  return { ...facts({ cluster: { nodes } }), hosts: { value: { findings: [], places } } };
}
const marked = (name: string) =>
  clusterNode(name, { metadata: { name, annotations: { "rke2-upgrade/working": settings.changeId } } });
const upgraded = (name: string) =>
  clusterNode(name, { status: { nodeInfo: { kubeletVersion: TO } as never } });

const ours = (findings: readonly Finding[]) =>
  findings.filter(({ check }) => check.includes("a wave's agents"));
const asked = (given: Facts, of: Settings = wide) => ours(judge(of, given, OWNER));
function gate(name: string, given: Facts): Finding[] {
  const node = settings.nodes.find((one) => one.name === name);
  assert.ok(node);
  return ours(judgeTurn(wide, node, given, OWNER));
}
const verdicts = (findings: readonly Finding[]) => findings.map(({ verdict }) => verdict);
const shared = { [A]: "host9", [B]: "host9" };

describe("observe/checks/fellows", () => {
  it("stops, before a run and at their gates, two that go together and are on one host now", () => {
    assert.deepEqual(verdicts(asked(seen({}))), ["pass"]);
    const [finding] = asked(seen(shared));
    assert.equal(finding?.verdict, "fail");
    assert.equal(finding?.found, `${A}, ${B} on host9`);
    assert.match(finding?.next ?? "", new RegExp(`qm migrate one of ${A}, ${B} to another host`));
    assert.deepEqual(verdicts(gate(A, seen(shared))), ["fail"]);
    assert.deepEqual(verdicts(gate(B, seen(shared))), ["fail"]);
    assert.deepEqual(verdicts(gate(C, seen(shared))), ["pass"], "who is alone on its host");
    const other = wavesOf(wide)[1]?.nodes[0]?.name ?? "";
    assert.deepEqual(gate(other, seen(shared)), [], "who goes alone");
    assert.deepEqual(verdicts(asked(seen({ [A]: "host9", [other]: "host9" }))), ["pass"], "of two waves");
  });

  it("asks nothing where no two go together, where they may share a host, or where nothing is changed", () => {
    const may = { ...wide, waves: { ...wide.waves, shareHost: true } };
    const settled = { ...wide, rke2Version: FROM };
    for (const given of [settings, may, settled]) assert.deepEqual(asked(seen(shared), given), []);
    assert.deepEqual(gate("proj-k8sm01", seen(shared)), []);
  });

  it("passes one that is upgraded, lets one that is in its turn go on, and holds the fellow that would join it", () => {
    assert.deepEqual(verdicts(asked(seen(shared, [upgraded(A)]))), ["pass"]);
    const turning = seen(shared, [marked(A)]);
    assert.deepEqual(verdicts(asked(turning)), ["warn"]);
    assert.deepEqual(verdicts(gate(A, turning)), ["warn"]);
    assert.deepEqual(verdicts(gate(B, turning)), ["fail"]);
  });

  it("was not measured where Proxmox VE does not answer", () => {
    const down: Facts = { ...seen({}), hosts: { missing: "refused" } };
    assert.deepEqual(verdicts(asked(down)), ["not measured"]);
    assert.deepEqual(verdicts(gate(A, down)), ["not measured"]);
    assert.deepEqual(gate("proj-k8sm01", down), []);
  });
});
