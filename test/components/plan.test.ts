import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { planOf } from "../../components/plan";
import { PHASES, parseSettings, type Settings, type Step } from "../../config";
import { lab, labNodes } from "../config/lab";

const scripts = join(__dirname, "../../scripts");

/** Clusters of any size, an upgrade under way: 1, 3 or 5 servers, agents with and without GPUs. */
const anyCluster = (changes: Record<string, unknown>): fc.Arbitrary<Settings> =>
  fc.tuple(fc.constantFrom(1, 3, 5), fc.array(fc.boolean(), { maxLength: 6 })).map(([servers, agents]) => {
    const roles = [
      ...Array.from({ length: servers }, () => ({ role: "server" })),
      ...agents.map((gpu) => ({ role: "agent", gpu })),
    ];
    const nodes = roles.map((role, i) => ({
      ...labNodes[0],
      ...role,
      name: `node-${i}`,
      address: `10.0.0.${i + 1}`,
      vmId: 100 + i,
    }));
    return parseSettings(lab({ nodes, ...changes }));
  });
const underWay = anyCluster({ rke2Version: "v1.36.3+rke2r1" });

/** The position of the only step with this ID. */
function at(plan: readonly Step[], id: string): number {
  const index = plan.findIndex((step) => step.id === id);
  assert.notEqual(index, -1, `${id} is missing`);
  return index;
}

describe("components/plan: the order, for clusters of any size", () => {
  it("gives every step an ID of its own in kebab-case and a bound, phases in order", () => {
    fc.assert(
      fc.property(fc.oneof(underWay, anyCluster({})), (cluster) => {
        const plan = planOf(cluster);
        assert.equal(new Set(plan.map(({ id }) => id)).size, plan.length);
        for (const { id, boundSeconds } of plan) {
          assert.match(id, /^[a-z0-9]+(-[a-z0-9]+)*$/);
          assert.ok(boundSeconds > 0);
        }
        const phases = plan.map(({ phase }) => PHASES.indexOf(phase));
        assert.deepEqual(
          phases,
          phases.toSorted((a, b) => a - b),
        );
      }),
    );
  });

  it("has the whole way back before anything is installed", () => {
    fc.assert(
      fc.property(underWay, (cluster) => {
        const plan = planOf(cluster);
        const firstInstall = plan.findIndex(({ id }) => id.endsWith("-install"));
        for (const { name } of cluster.nodes) {
          assert.ok(at(plan, `${name}-vm-snapshot`) < firstInstall);
          assert.ok(at(plan, `${name}-fetch-artifacts`) < firstInstall);
        }
        assert.ok(at(plan, "etcd-backup") < firstInstall);
      }),
    );
  });

  it("says where it has RKE2 import the wanted release's images, before anything is installed", () => {
    const imports = (changes: Record<string, unknown>) =>
      planOf(parseSettings(lab(changes)))
        .filter(({ title }) => title.endsWith("; have RKE2 import v1.36.3+rke2r1's images"))
        .map(({ id }) => id);
    const wanted = { rke2Version: "v1.36.3+rke2r1" };
    assert.deepEqual(
      imports({ ...wanted, install: { images: "tar.zst" } }),
      labNodes.map(({ name }) => `${name}-fetch-artifacts`),
    );
    assert.deepEqual(imports(wanted), []);
  });

  it("finishes one node before it touches the next, servers in their order and then agents", () => {
    fc.assert(
      fc.property(underWay, (cluster) => {
        const plan = planOf(cluster);
        const order = [...cluster.servers, ...cluster.agents].map(({ name }) => name);
        const touched = plan.filter(({ phase }) => phase === "servers" || phase === "agents");
        const turns = touched.map(({ node }) => node).filter((node, i, all) => node !== all[i - 1]);
        assert.deepEqual(turns, order);
      }),
    );
  });

  it("patches in a round of its own whoever is asked for, one node after another, the way back before all, no RKE2 moved", () => {
    const round = fc.boolean().chain((servers) =>
      fc
        .tuple(fc.constantFrom(3, 5), fc.integer({ min: 1, max: 6 }), fc.boolean())
        .map(([all, agents, scanned]) => {
          const roles = [...Array(all).fill("server"), ...Array(agents).fill("agent")];
          const nodes = roles.map((role, i) => ({
            ...{ ...labNodes[0], role, name: `node-${i}`, address: `10.0.0.${i + 1}`, vmId: 100 + i },
          }));
          const scan = { url: "https://mirror.example.org/k.tar.gz", sha256: "ab".repeat(32) };
          const osPatch = { packages: "security", servers, round: "CR-2" };
          return parseSettings(lab({ nodes, changeId: "CR-2", osPatch, ...(scanned && { scan }) }));
        }),
    );
    fc.assert(
      fc.property(round, (cluster) => {
        const plan = planOf(cluster);
        assert.ok(!plan.some(({ id }) => /-(install|backup-config)$/.test(id)));
        const patched = cluster.nodes.filter(({ role }) => role === "agent" || cluster.osPatch.servers);
        const turns = plan.filter(({ phase }) => phase === "servers" || phase === "agents");
        assert.deepEqual(
          turns.map(({ node }) => node).filter((node, i, all) => node !== all[i - 1]),
          patched.map(({ name }) => name),
        );
        for (const { name, role } of patched) {
          const last = role === "server" ? ["uncordon", "verify-cluster"] : ["verify-cluster", "uncordon"];
          const scan = cluster.scan ? ["scan-turn"] : [];
          const order = ["turn-gate", "cordon", "drain", "patch", "reboot", "restart", "verify-node"];
          const places = [...order, ...scan, ...last].map((id) => at(plan, `${name}-${id}`));
          assert.deepEqual(
            places,
            places.toSorted((a, b) => a - b),
          );
        }
        const first = plan.findIndex(({ id }) => id.endsWith("-patch"));
        for (const { name } of cluster.nodes) assert.ok(at(plan, `${name}-vm-snapshot`) < first);
        assert.ok(at(plan, "etcd-backup") < first);
      }),
    );
  });

  it("installs, restarts, drains and snapshots nothing while nothing is under way", () => {
    fc.assert(
      fc.property(anyCluster({}), (cluster) => {
        const touching =
          /-(install|restart|drain|cordon|uncordon|vm-snapshot|fetch-artifacts|backup-config)$/;
        const ids = planOf(cluster).map(({ id }) => id);
        assert.deepEqual(
          ids.filter((id) => touching.test(id)),
          [],
        );
        assert.ok(at(planOf(cluster), "accept") < at(planOf(cluster), "release"));
      }),
    );
  });

  it("hands the limit of a lease to every step that judges leases", () => {
    const judging = readdirSync(scripts).filter((name) =>
      /\$\(stale_leases /.test(readFileSync(join(scripts, name), "utf8")),
    );
    const [from, to] = ["v1.36.2+rke2r1", "v1.36.3+rke2r1"];
    const keys = { rke2Version: to, acceptedVersion: from, limits: { leaseSeconds: 77 } };
    const plans = [
      { ...keys, agents: { maxUnavailable: 2 } },
      { ...keys, goBack: { strategy: "reinstall" } },
      { ...keys, acceptedVersion: to },
    ];
    const seen = new Set<string>();
    for (const { planned } of plans.flatMap((changes) => planOf(parseSettings(lab(changes))))) {
      if (!planned || !judging.includes(`${planned.script}.sh`)) continue;
      seen.add(`${planned.script}.sh`);
      assert.ok(planned.args.includes(77), `${planned.id}: ${planned.args}`);
    }
    assert.deepEqual([...seen].toSorted(), judging);
    assert.equal(judging.length, 5);
  });
});
