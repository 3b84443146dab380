import assert from "node:assert/strict";
import fc from "fast-check";
import {
  fellowsOf,
  isSerial,
  maxUnavailable,
  parseSettings,
  type Settings,
  waveOf,
  wavesOf,
} from "../../config";
import { lab, labNodes } from "./lab";

/** Clusters with any agents on any of five hosts, and any wish for waves. */
const anyCluster: fc.Arbitrary<Settings> = fc
  .tuple(
    fc.array(fc.record({ gpu: fc.boolean(), host: fc.integer({ min: 1, max: 5 }) }), { maxLength: 14 }),
    fc.record(
      {
        maxUnavailable: fc.oneof(
          fc.integer({ min: 1, max: 6 }),
          fc.integer({ min: 1, max: 100 }).map((percent) => `${percent}%`),
        ),
        canary: fc.integer({ min: 0, max: 3 }),
        shareHost: fc.boolean(),
      },
      { requiredKeys: [] },
    ),
  )
  .map(([agents, waves]) => clusterOf(agents, waves));

function clusterOf(agents: readonly { gpu?: boolean; host?: number }[], waves: object): Settings {
  const nodes = [
    labNodes[0],
    ...agents.map(({ gpu = false, host = 1 }, i) => ({
      ...labNodes[0],
      role: "agent",
      gpu,
      name: `w${i + 1}`,
      address: `10.0.0.${i + 1}`,
      vmId: 200 + i,
      proxmoxNode: `pve${host}`,
    })),
  ];
  return parseSettings(lab({ nodes, agents: waves }));
}

const namesOf = (settings: Settings) => wavesOf(settings).map(({ nodes }) => nodes.map(({ name }) => name));

describe("config/waves", () => {
  it("has every agent exactly once, numbered from one, each wave in the config's order", () => {
    fc.assert(
      fc.property(anyCluster, (settings) => {
        const waves = wavesOf(settings);
        const all = settings.agents.map(({ name }) => name);
        assert.deepEqual(namesOf(settings).flat().sort(), all.toSorted());
        assert.deepEqual(
          waves.map(({ number }) => number),
          waves.map((_, i) => i + 1),
        );
        for (const { nodes } of waves) {
          const places = nodes.map((node) => settings.agents.indexOf(node));
          assert.deepEqual(
            places,
            places.toSorted((a, b) => a - b),
          );
        }
      }),
    );
  });

  it("is never wider than allowed, nor has two of one host unless they may share it", () => {
    fc.assert(
      fc.property(anyCluster, (settings) => {
        for (const { nodes } of wavesOf(settings)) {
          assert.ok(nodes.length >= 1 && nodes.length <= maxUnavailable(settings));
          const hosts = new Set(nodes.map(({ proxmoxNode }) => proxmoxNode));
          if (!settings.waves.shareHost) assert.equal(hosts.size, nodes.length);
        }
      }),
    );
  });

  it("has canaries first, GPU agents last and never with others, one soak after the canaries", () => {
    fc.assert(
      fc.property(anyCluster, (settings) => {
        fc.pre(!isSerial(settings));
        const waves = wavesOf(settings);
        const kinds = waves.map(({ canary, nodes }) => (canary ? 0 : nodes[0]?.gpu ? 2 : 1));
        assert.deepEqual(
          kinds,
          kinds.toSorted((a, b) => a - b),
        );
        for (const { nodes } of waves) assert.equal(new Set(nodes.map(({ gpu }) => gpu)).size, 1);
        const canaries = waves.filter(({ canary }) => canary);
        const plain = settings.agents.filter(({ gpu }) => !gpu);
        const eligible = plain.length > 0 ? plain : settings.agents;
        assert.deepEqual(
          new Set(canaries.flatMap(({ nodes }) => nodes)),
          new Set(eligible.slice(0, settings.waves.canary ?? 1)),
        );
        const soaked = waves.filter(({ soakSeconds }) => soakSeconds > 0);
        assert.deepEqual(soaked, canaries.slice(-1));
      }),
    );
  });

  it("is strictly serial by default, in the config's order, GPU or not, and has no wave's own steps", () => {
    fc.assert(
      fc.property(fc.array(fc.record({ gpu: fc.boolean() }), { maxLength: 8 }), (agents) => {
        const settings = clusterOf(agents, {});
        assert.ok(isSerial(settings));
        assert.deepEqual(
          namesOf(settings),
          settings.agents.map(({ name }) => [name]),
        );
        assert.ok(wavesOf(settings).every(({ soakSeconds, canary }) => soakSeconds === 0 && !canary));
      }),
    );
  });

  it("says who goes together: the same, asked from either side", () => {
    fc.assert(
      fc.property(anyCluster, (settings) => {
        for (const { name } of settings.agents) {
          const fellows = fellowsOf(settings, name);
          assert.equal(fellows.length + 1, waveOf(settings, name)?.nodes.length);
          for (const fellow of fellows)
            assert.ok(fellowsOf(settings, fellow.name).some((one) => one.name === name));
        }
        assert.deepEqual(fellowsOf(settings, settings.servers[0]?.name ?? ""), []);
      }),
    );
  });

  it("counts a percentage down, but at least one", () => {
    const eight = Array.from({ length: 8 }, () => ({}));
    const allowed = (maxUnavailable_: number | string) =>
      maxUnavailable(clusterOf(eight, { maxUnavailable: maxUnavailable_ }));
    assert.deepEqual(["25%", "37%", "1%", "100%", 4].map(allowed), [2, 2, 1, 8, 4]);
  });

  it("fills waves across hosts: eight agents on four hosts, four at once after one canary", () => {
    const agents = [1, 1, 2, 2, 3, 3, 4, 4].map((host) => ({ host, gpu: false }));
    assert.deepEqual(namesOf(clusterOf(agents, { maxUnavailable: 4 })), [
      ["w1"],
      ["w2", "w3", "w5", "w7"],
      ["w4", "w6", "w8"],
    ]);
    assert.deepEqual(
      namesOf(clusterOf([...agents.slice(0, 3), { gpu: true, host: 4 }], { maxUnavailable: 4 })),
      [["w1"], ["w2", "w3"], ["w4"]],
    );
  });

  it("tries a change on one GPU agent first where every agent has one", () => {
    const gpus = [1, 2, 3, 4, 5].map((host) => ({ host, gpu: true }));
    const waves = wavesOf(clusterOf(gpus, { maxUnavailable: 4 }));
    assert.deepEqual(
      waves.map(({ nodes, canary, soakSeconds }) => [nodes.length, canary, soakSeconds > 0]),
      [
        [1, true, true],
        [4, false, false],
      ],
    );
  });

  it("refuses what is no number and no percentage", () => {
    for (const wrong of [0, -1, 1.5, "0%", "101%", "many", "5"])
      assert.throws(
        () => clusterOf([{}], { maxUnavailable: wrong }),
        /agents\.maxUnavailable/,
        String(wrong),
      );
  });
});
