import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Facts, type Finding, judge, judgeTurn } from "../../observe";
import { findingLines } from "../../observe/print";
import {
  clusterNode,
  FROM,
  facts,
  healthyCluster,
  healthyEtcd,
  healthyServer,
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

  it("stops for a server that the others would join at another address than its own", () => {
    const at = (...ips: readonly string[]) => {
      const addresses = ips.map((address) => ({ type: "InternalIP", address }));
      return facts({ cluster: { nodes: withNode(clusterNode("proj-k8sm01", { status: { addresses } })) } });
    };
    const { found, next } = only(at("10.9.0.1", "fd00::1"), /nodes as configured/);
    assert.equal(found, "proj-k8sm01 has the InternalIP 10.9.0.1, not 10.25.20.11");
    assert.match(next ?? "", /nodes\[\]\.internalIp/);
    assert.deepEqual(wrong(at("fd00::1", "10.25.20.11")), []);
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
    only(
      facts({ node: ["proj-k8sm02", { server: { ...healthyServer, ready: { value: 2500 } } }] }),
      /API answers/,
    );
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

  it("refuses a node whose config makes it another kind of cluster, and says what it sets", () => {
    const unknownLayout = ["data-dir: /data/rke2", "disable-etcd"];
    const { found, next } = only(facts({ node: ["proj-k8sm01", { unknownLayout }] }), /where its defaults/);
    assert.equal(found, "RKE2's config sets data-dir: /data/rke2, disable-etcd: not supported");
    assert.match(next ?? "", /by other means/);
  });

  it("refuses a mount that a way back could not move etcd's data from, before anything is touched", () => {
    const etcdMounts = ["/var/lib/rancher/rke2/server/db/etcd"];
    const { found, next } = only(facts({ node: ["proj-k8sm01", { etcdMounts }] }), /can be moved aside/);
    assert.equal(found, "a mount of its own at /var/lib/rancher/rke2/server/db/etcd");
    const [, section = ""] = /docs\/checks\.md#([a-z0-9-]+)/.exec(next ?? "") ?? [];
    assert.match(
      readFileSync(join(__dirname, "../../docs/checks.md"), "utf8"),
      new RegExp(`^### ${section.replaceAll("-", " ")}$`, "m"),
    );
  });

  it("names a next move for RKE2 from rpm that can be followed", () => {
    const { next } = only(facts({ node: ["proj-k8sw01", { binary: "/usr/bin/rke2" }] }), /tarball/);
    const [, section = ""] = /docs\/checks\.md#([a-z0-9-]+)/.exec(next ?? "") ?? [];
    const headings = readFileSync(join(__dirname, "../../docs/checks.md"), "utf8").match(/^#+ .*$/gm) ?? [];
    assert.ok(headings.some((one) => one.replace(/^#+ /, "").toLowerCase().replaceAll(" ", "-") === section));
  });

  /** Every check of a section has a line, whether anybody answered or not. */
  const names = (seen: Facts, given = settings) => judge(given, seen, OWNER).map(({ check }) => check);

  it("says of every check of the cluster that it was not measured while the API is down", () => {
    const given = { ...settings, criticalWorkloads: "critical=yes" };
    const running = ["rancher/rancher:v2.15.1", "traefik:v3.7.8"].map((image, i) =>
      pod(`p${i}`, "proj-k8sw01", { spec: { nodeName: "proj-k8sw01", containers: [{ name: "c", image }] } }),
    );
    const down: Facts = { ...facts(), cluster: { missing: "connect ECONNREFUSED" } };
    const told = judge(given, down, OWNER);
    const lost = told.filter(({ verdict }) => verdict === "not measured");
    for (const check of names(facts({ cluster: { pods: running } }), given))
      assert.ok(
        told.some((one) => one.check === check),
        check,
      );
    assert.deepEqual(
      lost.map(({ check }) => check),
      [
        ...["the API answers", "nodes Ready", "leases renewed", "pressure on nodes", "nodes as configured"],
        ...["cordons", "no upgrade Plan of Rancher's", "certificate signing requests", "pods stuck"],
        ...["pods can be made", "pods that have failed", "RKE2's charts installed", "storage"],
        ...["pods a drain would hurt", "budgets met"],
      ]
        .map((check) => `cluster: ${check}`)
        .concat(
          settings.agents.map(({ name }) => `${name}: budgets let it be drained`),
          settings.agents.map(({ name }) => `${name}: room for its pods on the other nodes`),
          "cluster: held by no other change",
          settings.servers.map(({ name }) => `${name}: free capacity`),
          ["rancher", "gpu-operator", "cert-manager", "traefik", "ingress-nginx"].map(
            (one) => `compatibility: ${one}`,
          ),
          "cluster: Rancher exported before",
        ),
    );
    assert.match(lost[0]?.found ?? "", /ECONNREFUSED/);
    for (const { found, next } of lost.slice(1)) {
      assert.match(found, /the API did not answer|cpu asked for unknown, .*memory in use 25 %/);
      assert.ok(next);
    }
  });

  it("says of every check of Proxmox VE that it was not measured while its API is down", () => {
    const down: Facts = { ...facts(), hosts: { missing: "connect ECONNREFUSED" } };
    const lost = judge(settings, down, OWNER).filter(({ verdict }) => verdict === "not measured");
    assert.deepEqual(
      lost.map(({ check }) => check.replace(/^proxmox: /, "")),
      [
        ...settings.nodes.map(({ name }) => `${name}: name, address and VM are one machine`),
        ...["age of each VM's last backup", "the API answers", "the token's rights", "quorum"],
        "servers on different hosts",
        ...settings.nodes.map(({ name, vmId }) => `VM ${vmId} (${name})`),
        "the restore test of VM 3001",
        "room for snapshots",
      ],
    );
    const [node] = settings.agents;
    assert.ok(node);
    assert.deepEqual(
      judgeTurn(settings, node, down, OWNER)
        .filter(({ verdict }) => verdict === "not measured")
        .map(({ check }) => check),
      [
        `${node.name}: name, address and VM are one machine`,
        ...["proxmox: the API answers", "proxmox: the token's rights", "proxmox: quorum"],
        ...["proxmox: servers on different hosts", `proxmox: VM ${node.vmId} (${node.name})`],
        ...["proxmox: room for snapshots", `${node.name}: its VM's snapshot`],
      ],
    );
  });

  it("says of every check of a node that it was not measured while it does not answer", () => {
    const nodes = new Map(facts().nodes).set("proj-k8sm02", { missing: "refused" } as never);
    const told = judge(settings, { ...facts(), nodes }, OWNER);
    assert.deepEqual(
      names(facts()).filter((check) => !told.some((one) => one.check === check)),
      [],
    );
    assert.deepEqual(
      told.filter(({ verdict }) => verdict === "not measured").map(({ check }) => check),
      [
        ...[
          "answers over SSH",
          "runs RKE2",
          "as the last run left it",
          "control groups",
          "ingress-controller",
        ].map((check) => `proj-k8sm02: ${check}`),
        ...["room on its disk", "memory", "certificates"].map((check) => `proj-k8sm02: ${check}`),
        "proj-k8sm02: name, address and VM are one machine",
        ...["nodes: clocks in step", "etcd: whole", "etcd: database against its quota"],
        ...["etcd: writes to its log", "proj-k8sm02: free capacity"],
        ...["version: skew, now and at every step", "compatibility: APIs that the target removes"],
      ],
    );
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

describe("observe/judge: before a node's turn", () => {
  const node = (name: string) =>
    settings.nodes.find((one) => one.name === name) as (typeof settings.nodes)[0];
  /** What does not hold before a turn, by check and verdict. */
  const held = (name: string, seen: Facts) =>
    judgeTurn(settings, node(name), seen, OWNER).flatMap(({ check, verdict }) =>
      verdict === "pass" ? [] : [`${check}: ${verdict}`],
    );
  const server = (name: string, changes: Partial<typeof healthyServer>) =>
    facts({ node: [name, { server: { ...healthyServer, ...changes } }] });

  it("asks again what an earlier turn can have spoilt: the clocks, and that server's free capacity", () => {
    const late = facts({ node: ["proj-k8sm03", { clockSkewMs: 5000 }] });
    for (const name of ["proj-k8sm02", "proj-k8sw01"])
      assert.deepEqual(held(name, late), ["nodes: clocks in step: fail"]);
    const full = facts({ node: ["proj-k8sm02", { memoryFreeMiB: 2000 }] });
    assert.deepEqual(held("proj-k8sm02", full), ["proj-k8sm02: free capacity: fail"]);
    assert.deepEqual(held("proj-k8sm03", full), []);
  });

  it("judges every server's etcd before an agent's turn too: its room, its writes, and who leads", () => {
    const etcd = healthyServer.etcd as NonNullable<typeof healthyServer.etcd>;
    const quotaBytes = 2 ** 31;
    const at = (changes: Partial<typeof healthyServer>) =>
      held("proj-k8sw02", server("proj-k8sm03", changes));
    assert.deepEqual(at({ etcd: { ...etcd, quotaBytes, dbBytes: 0.95 * quotaBytes } }), [
      "etcd: database against its quota: fail",
    ]);
    assert.deepEqual(at({ fsyncMs: 600 }), ["etcd: writes to its log: fail"]);
    assert.deepEqual(at({ fsyncMs: 250 }), ["etcd: writes to its log: warn"]);
    assert.deepEqual(at({ etcd: { ...etcd, leader: "8" } }), ["etcd: whole: fail"]);
  });

  it("holds for a dashboard that is down, and does not where a node in its turn may be why", () => {
    const url = "https://grafana.example.org/login";
    const dark = (nodes = settings.nodes.map(({ name }) => clusterNode(name))) => ({
      ...facts({ cluster: { nodes } }),
      dashboards: [{ url, status: { value: 503 } }],
    });
    assert.deepEqual(held("proj-k8sw02", dark()), [`monitoring: ${url}: fail`]);
    const turning = clusterNode("proj-k8sw02", {
      metadata: { name: "proj-k8sw02", annotations: { "rke2-upgrade/working": settings.changeId } },
    });
    assert.deepEqual(held("proj-k8sw02", dark(withNode(turning))), [`monitoring: ${url}: warn`]);
  });
});
