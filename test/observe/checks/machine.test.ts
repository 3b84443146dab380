import assert from "node:assert/strict";
import { type Facts, type Finding, judge, judgeTurn } from "../../../observe";
import type { ClusterFacts } from "../../../observe/cluster";
import type { Look } from "../../../observe/look";
import { clusterNode, facts, healthyCluster, OWNER, settings } from "../facts";

const agent = settings.agents[0] as (typeof settings.nodes)[number];
const other = settings.agents[1] as (typeof settings.nodes)[number];

const CHECK = `${agent.name}: name, address and VM are one machine`;
function asked(given: Facts): Finding {
  const before = judge(settings, given, OWNER).find(({ check }) => check === CHECK);
  const atItsGate = judgeTurn(settings, agent, given, OWNER).find(({ check }) => check === CHECK);
  assert.ok(before);
  assert.deepEqual(atItsGate, before, "at its turn's gate as before a run");
  return before;
}

/** Who answers at the agent's address is another node. */
const swapped = (nodes: ClusterFacts["nodes"] = healthyCluster.nodes): Facts =>
  facts({
    cluster: { nodes },
    node: [agent.name, { bootId: `boot of ${other.name}`, cards: [`card of ${other.name}`] }],
  });

/** Proxmox VE's word for the agent's VM. */
function withCards(cards: Look<readonly string[]> | undefined): Facts {
  const given = facts();
  assert.ok("value" in given.hosts);
  const map = new Map(given.hosts.value.cards);
  if (cards) map.set(agent.vmId, cards);
  else map.delete(agent.vmId);
  return { ...given, hosts: { value: { ...given.hosts.value, cards: map } } };
}

describe("observe/checks/machine", () => {
  it("passes one machine, whose VM may have more cards than the node shows", () => {
    assert.deepEqual(asked(facts()), {
      check: CHECK,
      found: "one",
      wanted: "one boot ID, a network card in common",
      verdict: "pass",
    });
    assert.equal(asked(withCards({ value: ["passed through", `card of ${agent.name}`] })).verdict, "pass");
  });

  it("stops where another machine answers at the address, and where the VM is another's", () => {
    const address = asked(swapped());
    assert.equal(address.verdict, "fail");
    assert.match(address.next ?? "", /is another machine than the cluster's node .*nodes\[\]\.address/);
    const vm = asked(withCards({ value: [`card of ${other.name}`] }));
    assert.equal(vm.verdict, "fail");
    assert.match(vm.next ?? "", new RegExp(`^VM ${agent.vmId} has network card .*nodes\\[\\]\\.vmId`));
    assert.equal(vm.momentary, true, "asked again before it stops");
  });

  it("asks no boot ID of a node that may just have booted, but its VM's card", () => {
    const booted = (node: Parameters<typeof clusterNode>[1]): Facts => ({
      ...facts({
        cluster: {
          nodes: healthyCluster.nodes.map((one) =>
            one.metadata?.name === agent.name ? clusterNode(agent.name, node) : one,
          ),
        },
        node: [agent.name, { bootId: "another boot" }],
      }),
    });
    const inTurn = { name: agent.name, annotations: { "rke2-upgrade/working": settings.changeId } };
    for (const node of [
      { metadata: inTurn },
      { status: { conditions: [{ type: "Ready", status: "Unknown" }] } },
    ])
      assert.equal(asked(booted(node)).verdict, "pass");
    assert.equal(asked(booted({})).verdict, "fail");
  });

  it("says where there is no card to compare, and that nobody knows where nobody says", () => {
    for (const none of [withCards({ value: [] }), facts({ node: [agent.name, { cards: [] }] })])
      assert.match(asked(none).found, /^one; no network card of VM \d+ could be compared$/);
    for (const silent of [undefined, { missing: "a timeout" }])
      assert.equal(asked(withCards(silent)).verdict, "not measured");
  });
});
