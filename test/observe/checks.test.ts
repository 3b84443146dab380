/** Every check with its condition right (judge.test.ts: the healthy lab) and wrong, one at a time. */
import assert from "node:assert/strict";
import type { V1Pod } from "@kubernetes/client-node";
import { type Finding, judge, judgeTurn } from "../../observe";
import type { ClusterFacts } from "../../observe/cluster";
import { askEvictions, underBudgets } from "../../observe/evictions";
import type { Facts } from "../../observe/facts";
import type { NodeFacts } from "../../observe/node";
import {
  clusterNode,
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

const AT = healthyCluster.at;
const ago = (seconds: number) => new Date(AT.getTime() - seconds * 1000);

/** The one check that does not hold. */
function only(seen: Facts, check: RegExp, verdict: Finding["verdict"] = "fail", given = settings): Finding {
  const wrong = judge(given, seen, OWNER).filter((finding) => finding.verdict !== "pass");
  assert.deepEqual(
    wrong.map((finding) => `${finding.check}: ${finding.verdict}`),
    [wrong[0] ? `${wrong[0].check}: ${verdict}` : "something wrong"],
  );
  const [first] = wrong;
  assert.ok(first?.next, "no next move");
  assert.match(first.check, check);
  return first;
}

const ofCluster = (cluster: Partial<ClusterFacts>) => facts({ cluster });
const ofNode = (name: string, node: Partial<NodeFacts>) => facts({ node: [name, node] });
const ofServer = (name: string, changes: Partial<typeof healthyServer>) =>
  ofNode(name, { server: { ...healthyServer, ...changes } });

describe("observe/checks: a node", () => {
  it("stops where disk, inodes or memory run out", () => {
    const disk = (changes: object) => ({
      disks: [{ mount: "/", freeMiB: 9000, inodesFree: 90, inodes: 100, ...changes }],
    });
    assert.match(only(ofNode("proj-k8sw01", disk({ freeMiB: 900 })), /w01: room/).found, /900 MiB/);
    assert.match(only(ofNode("proj-k8sw01", disk({ inodesFree: 4 })), /w01: room/).found, /4 % of inodes/);
    only(ofNode("proj-k8sw01", { memoryFreeMiB: 300 }), /w01: memory/);
    const withImages = { ...settings, install: { ...settings.install, images: "tar.zst" as const } };
    const room = ofNode("proj-k8sw01", disk({ freeMiB: 5000 }));
    assert.match(only(room, /w01: room/, "fail", withImages).wanted, /5120 MiB/);
  });

  it("does not count inodes where a file system has no fixed number of them", () => {
    const seen = ofNode("proj-k8sw01", { disks: [{ mount: "/", freeMiB: 9000, inodesFree: 0, inodes: 0 }] });
    assert.ok(judge(settings, seen, OWNER).every(({ verdict }) => verdict === "pass"));
  });

  it("warns of certificates that the restart renews, and stops for those that end before", () => {
    const due = (days: number, status = "WARNING") => ({
      dueCertificates: [
        {
          name: "client-admin.crt (system:admin)",
          expires: new Date(Date.now() + days * 86_400_000),
          status,
        },
      ],
    });
    assert.match(
      only(ofNode("proj-k8sm02", due(60)), /m02: certificates/, "warn").found,
      /client-admin\.crt/,
    );
    only(ofNode("proj-k8sm02", due(3)), /m02: certificates/);
    only(ofNode("proj-k8sm02", due(-1, "EXPIRED")), /m02: certificates/);
    only(
      ofNode("proj-k8sm02", {
        dueCertificates: [{ name: "x", expires: new Date("none"), status: "WARNING" }],
      }),
      /certificates/,
    );
    only(ofNode("proj-k8sm02", { certificates: 0 }), /certificates/, "not measured");
  });

  it("warns of a containerd template that is not RKE2's", () => {
    const seen = ofNode("proj-k8sw04", { containerdTemplates: ["/x/config.toml.tmpl"] });
    only(seen, /w04: containerd/, "warn");
    // Its operator may have written it since: asked again before its turn.
    const node = settings.nodes.find(({ name }) => name === "proj-k8sw04");
    assert.ok(node);
    const again = judgeTurn(settings, node, seen, OWNER).filter(({ verdict }) => verdict !== "pass");
    assert.match(again.map(({ check }) => check).join(), /^proj-k8sw04: containerd's template$/);
  });

  it("stops where clocks are apart by more than the answers' way can explain", () => {
    only(ofNode("proj-k8sw02", { clockSkewMs: 5000 }), /clocks/);
    const slowWay = ofNode("proj-k8sw02", { clockSkewMs: 1500, clockErrorMs: 600 });
    assert.ok(judge(settings, slowWay, OWNER).every(({ verdict }) => verdict === "pass"));
  });

  it("stops where this machine's clock is far from every node's", () => {
    const all = (clockSkewMs: number, others = clockSkewMs) => {
      const seen = facts();
      const nodes = [...seen.nodes].map(([name, looked], i) => {
        const skew = { clockSkewMs: i === 0 ? clockSkewMs : others };
        return [name, "value" in looked ? { value: { ...looked.value, ...skew } } : looked] as const;
      });
      return { ...seen, nodes: new Map(nodes) };
    };
    const day = 86_400_000;
    const { found, next } = only(all(day), /^this machine: its clock$/);
    assert.match(found, /^86400 s behind proj-k8sm01's \(±1 s\), the nearest of \d nodes'/);
    assert.match(next ?? "", /on this machine/);
    assert.match(only(all(-day), /^this machine: its clock$/).found, /ahead of/);
    assert.ok(judge(settings, all(59_000), OWNER).every(({ verdict }) => verdict === "pass"));
    // The nodes are apart, one of them from this machine too.
    only(all(0, day), /clocks in step/);
  });
});

describe("observe/checks: the cluster", () => {
  it("warns of an API that takes over 500 ms and stops from 2 s on", () => {
    const ready = (value: number) =>
      ofNode("proj-k8sm03", { server: { ...healthyServer, ready: { value } } });
    only(ready(700), /API answers/, "warn");
    assert.match(only(ready(2100), /API answers/).found, /ready in 2100 ms on proj-k8sm03/);
  });

  it("stops for one API server of several that is not ready, but not for that of a server in its turn", () => {
    const name = "proj-k8sm01";
    const server = { ...healthyServer, ready: { missing: "HTTP 500: [-]etcd failed" } };
    assert.match(
      only(ofNode(name, { server }), /API answers/).found,
      /does not answer ready on proj-k8sm01 \(HTTP 500: \[-\]etcd failed\)/,
    );
    const marked = clusterNode(name, {
      metadata: { name, annotations: { "rke2-upgrade/working": settings.changeId } },
    });
    const nodes = healthyCluster.nodes.map((one) => (one.metadata?.name === name ? marked : one));
    const told = judge(settings, facts({ node: [name, { server }], cluster: { nodes } }), OWNER);
    assert.equal(told.find(({ check }) => check === "cluster: the API answers")?.verdict, "pass");
  });

  it("stops for pressure on a node, and for a node without a lease", () => {
    const pressed = clusterNode("proj-k8sw02", {
      status: {
        conditions: [
          { type: "Ready", status: "True" },
          { type: "DiskPressure", status: "True" },
        ],
      },
    });
    const nodes = settings.nodes.map(({ name }) => (name === "proj-k8sw02" ? pressed : clusterNode(name)));
    assert.match(only(ofCluster({ nodes }), /pressure/).found, /w02: DiskPressure/);
    only(ofCluster({ leases: healthyCluster.leases.slice(1) }), /leases/);
  });

  it("stops for pods that are stuck, and names why", () => {
    const stuck = (changes: object) => ofCluster({ pods: [pod("sick", "proj-k8sw01", changes)] });
    const waiting = (reason: string) => ({
      status: { phase: "Running", containerStatuses: [{ state: { waiting: { reason } } } as never] },
    });
    const meta = (more: object) => ({ metadata: { ...pod("sick", "").metadata, ...more } });
    assert.match(only(stuck(waiting("CrashLoopBackOff")), /stuck/).found, /lab\/sick \(CrashLoopBackOff\)/);
    only(stuck(waiting("ImagePullBackOff")), /stuck/);
    // A kubelet that was just started says so of any pod until it has read the cluster's services.
    const notReady = (seconds: number) => ({
      status: {
        ...waiting("CreateContainerConfigError").status,
        conditions: [{ type: "ContainersReady", status: "False", lastTransitionTime: ago(seconds) }],
      },
    });
    only(stuck(notReady(400)), /stuck/);
    only(stuck(waiting("CreateContainerConfigError")), /stuck/);
    const ended = (restartCount: number, exitCode: number) => ({
      status: {
        phase: "Running",
        containerStatuses: [{ restartCount, state: { terminated: { exitCode } } } as never],
      },
    });
    assert.match(only(stuck(ended(3, 1)), /stuck/).found, /crashes: exit 1, 3 restarts/);
    only(stuck(meta({ deletionTimestamp: ago(400) })), /stuck/);
    only(stuck({ ...meta({ creationTimestamp: ago(400) }), status: { phase: "Pending" } }), /stuck/);
    only(stuck({ status: { phase: "Failed" } }), /failed/, "warn");
    for (const fine of [
      waiting("ContainerCreating"),
      notReady(5),
      ended(0, 1),
      ended(1, 0),
      meta({ deletionTimestamp: ago(5) }),
      { ...meta({ creationTimestamp: ago(5) }), status: { phase: "Pending" } },
    ])
      assert.ok(judge(settings, stuck(fine), OWNER).every(({ verdict }) => verdict === "pass"));
  });

  it("passes the sick pods that the operator names, and those of a node in its turn", () => {
    const sick = pod("sick", "proj-k8sw01", {
      status: {
        phase: "Running",
        containerStatuses: [{ state: { waiting: { reason: "CrashLoopBackOff" } } } as never],
      },
    });
    const known = { ...settings, consents: { ...settings.consents, sickPods: ["lab/si*"] } };
    assert.ok(judge(known, ofCluster({ pods: [sick] }), OWNER).every(({ verdict }) => verdict === "pass"));
    const turning = clusterNode("proj-k8sw01", {
      metadata: {
        name: "proj-k8sw01",
        annotations: {
          "rke2-upgrade/working": settings.changeId,
          "rke2-upgrade/cordoned": settings.changeId,
        },
      },
      spec: { unschedulable: true },
    });
    const nodes = settings.nodes.map(({ name }) => (name === "proj-k8sw01" ? turning : clusterNode(name)));
    // One without a place may have it on that node alone, as what uses its GPU has.
    const unplaced = {
      ...pod("waits", "", { metadata: { ...pod("waits", "").metadata, creationTimestamp: ago(400) } }),
      ...{ spec: { containers: [] }, status: { phase: "Pending" } },
    };
    assert.ok(
      judge(settings, ofCluster({ pods: [sick, unplaced], nodes }), OWNER).every(
        ({ verdict }) => verdict === "pass",
      ),
    );
    assert.match(only(ofCluster({ pods: [unplaced] }), /stuck/).found, /lab\/waits \(Pending/);
  });

  it("stops where controllers get no new pods, by name, but not for those that the operator names or that wait", () => {
    const none = healthyCluster.controllers;
    const metadata = { namespace: "lab", name: "web" };
    const conditions = [{ type: "ReplicaFailure", status: "True", message: "exceeded quota: q" } as never];
    const deployments = [{ metadata, status: { conditions } }];
    const seen = ofCluster({ controllers: { ...none, deployments } });
    const { found, next } = only(seen, /can be made/);
    assert.equal(found, "deployment lab/web (exceeded quota: q)");
    assert.match(next ?? "", /kubectl -n lab describe deployment web .*consents\.sickPods/);
    const known = { ...settings, consents: { ...settings.consents, sickPods: ["lab/web"] } };
    assert.ok(judge(known, seen, OWNER).every(({ verdict }) => verdict === "pass"));
    only(ofCluster({ controllers: { ...none, replicaSets: deployments as never } }), /can be made/);
    const daemonSets = [
      { metadata, status: { desiredNumberScheduled: 5, currentNumberScheduled: 4 } as never },
    ];
    only(ofCluster({ controllers: { ...none, daemonSets } }), /can be made/);
    const stateful = (replicas: number, availableReplicas: number) =>
      ofCluster({
        controllers: {
          ...none,
          statefulSets: [
            { metadata, spec: { replicas: 3 } as never, status: { replicas, availableReplicas } },
          ],
        },
      });
    only(stateful(2, 2), /can be made/);
    // The next is made once the last one is available.
    assert.ok(judge(settings, stateful(2, 1), OWNER).every(({ verdict }) => verdict === "pass"));
  });

  it("stops for a helm-install job that fails, but not while the servers are of two versions", () => {
    const systemJobs = [
      { metadata: { name: "helm-install-rke2-canal" }, status: { failed: 3 } },
      { metadata: { name: "helm-install-rke2-coredns" }, status: { failed: 1, succeeded: 1 } },
      { metadata: { name: "another" }, status: { failed: 1 } },
    ];
    assert.match(only(ofCluster({ systemJobs }), /charts/).found, /^failing: helm-install-rke2-canal$/);
    // As RKE2's own: its container is restarted in place, and the job counts no failure.
    const [canal] = systemJobs;
    const crashing = pod("helm-install-rke2-canal-x", "proj-k8sm01", {
      metadata: {
        namespace: "kube-system",
        name: "helm-install-rke2-canal-x",
        labels: { "batch.kubernetes.io/job-name": "helm-install-rke2-canal" },
      },
      status: {
        phase: "Running",
        containerStatuses: [{ restartCount: 2, state: { waiting: { reason: "CrashLoopBackOff" } } } as never],
      },
    });
    const running = [{ metadata: canal?.metadata ?? {}, status: { active: 1 } }];
    assert.match(
      only(ofCluster({ systemJobs: running, pods: [crashing] }), /charts/).found,
      /^failing: helm-install-rke2-canal$/,
    );
    const nodes = settings.nodes.map(({ name }) =>
      name === "proj-k8sm01"
        ? clusterNode(name, { status: { nodeInfo: { kubeletVersion: TO } as never } })
        : clusterNode(name),
    );
    const findings = judge(settings, ofCluster({ systemJobs, nodes }), OWNER);
    assert.match(findings.find(({ check }) => check.includes("charts"))?.found ?? "", /harmless/);
    assert.ok(findings.every(({ verdict }) => verdict === "pass"));
  });

  it("stops for pending requests and for a Plan that installs Kubernetes, not for other Plans", () => {
    only(ofCluster({ signingRequests: [{ metadata: { name: "csr-1" }, spec: {} as never }] }), /signing/);
    const approved = {
      metadata: { name: "csr-1" },
      spec: {} as never,
      status: { conditions: [{} as never] },
    };
    const plan = (image: string) => [
      { metadata: { name: "p", namespace: "s" }, spec: { version: "v1", upgrade: { image } } },
    ];
    assert.match(
      only(ofCluster({ upgradePlans: plan("rancher/rke2-upgrade") }), /Plan/).next ?? "",
      /-n s delete plan p/,
    );
    const seen = ofCluster({ signingRequests: [approved], upgradePlans: plan("registry/apt-upgrade") });
    assert.ok(judge(settings, seen, OWNER).every(({ verdict }) => verdict === "pass"));
  });

  it("stops for volumes that cannot be attached or lack a replica", () => {
    const spec = { nodeName: "proj-k8sw01", attacher: "x", source: { persistentVolumeName: "pv" } };
    only(
      ofCluster({ attachments: [{ spec, status: { attached: false, attachError: { message: "no" } } }] }),
      /storage/,
    );
    only(
      ofCluster({ longhornVolumes: [{ metadata: { name: "v" }, status: { robustness: "degraded" } }] }),
      /storage/,
    );
  });

  it("asks about every eviction, some at a time", async () => {
    const pods = Array.from({ length: 450 }, (_, i) => `lab/p${i}`);
    const asked: string[][] = [];
    const exec = async (command: string) => {
      const names = command.split(" ").filter((word) => word.startsWith("lab/"));
      asked.push(names);
      const stdout = names.includes("lab/p449") ? 'lab/p449\t{"message":"budget"}\n' : "";
      return { code: 0, stdout, stderr: "" };
    };
    assert.deepEqual(await askEvictions({ exec }, pods), [{ pod: "lab/p449", reason: "budget" }]);
    assert.deepEqual(asked.flat(), pods);
    assert.ok(asked.every(({ length }) => length <= 200));
    const budgets = [{ metadata: { namespace: "lab" } }];
    const many = pods.map((name) => pod(name.slice(4), "proj-k8sw01"));
    assert.deepEqual(underBudgets([{ name: "proj-k8sw01" }], many, budgets), pods);
  });

  it("stops for a budget that is not met and for evictions that would be refused", () => {
    const budgets = [
      {
        metadata: { name: "b", namespace: "lab" },
        status: { currentHealthy: 1, desiredHealthy: 2 } as never,
      },
    ];
    const { found, momentary } = only(ofCluster({ budgets }), /budgets met/);
    assert.match(found, /lab\/b \(1 of 2\)/);
    assert.ok(
      momentary,
      "a pod that moves is not Ready for a moment: it is asked again before it stops a run",
    );
    const pods = [pod("held", "proj-k8sw02")];
    const refusedEvictions = [{ pod: "lab/held", reason: "needs 5 healthy pods and has 5" }];
    assert.match(only(ofCluster({ pods, refusedEvictions }), /w02: budgets/).found, /lab\/held: needs 5/);
  });
});

describe("observe/checks: capacity", () => {
  const asking = (name: string, node: string, requests: Record<string, string>, spec: object = {}) =>
    pod(name, node, {
      spec: { nodeName: node, containers: [{ name: "c", resources: { requests } }], ...spec },
    });
  /** Servers that take no other pods, as a cluster may be set up. */
  const taints = [{ key: "CriticalAddonsOnly", value: "true", effect: "NoExecute" }];
  const kept = settings.nodes.map(({ name, role }) =>
    clusterNode(name, role === "server" ? { spec: { taints } } : {}),
  );
  const room = (seen: Facts, node: string) =>
    judge(settings, seen, OWNER).find(({ check }) => check.startsWith(`${node}: room for`));

  it("stops where the other agents cannot take an agent's pods", () => {
    const pods = settings.agents.map(({ name }) => asking(`large-${name}`, name, { cpu: "3" }));
    const wrong = judge(settings, ofCluster({ pods, nodes: kept }), OWNER).filter(
      ({ verdict }) => verdict === "fail",
    );
    assert.equal(wrong.length, settings.agents.length);
    assert.match(wrong[0]?.found ?? "", /no place for lab\/large-proj-k8sw01/);
  });

  it("counts the servers too where no taint keeps pods off, but not while they are cordoned", () => {
    const pods = settings.agents.map(({ name }) => asking(`large-${name}`, name, { cpu: "3" }));
    assert.equal(room(ofCluster({ pods }), "proj-k8sw01")?.verdict, "pass");
    const cordoned = settings.nodes.map(({ name, role }) =>
      clusterNode(name, role === "server" ? { spec: { unschedulable: true } } : {}),
    );
    assert.equal(room(ofCluster({ pods, nodes: cordoned }), "proj-k8sw01")?.verdict, "fail");
  });

  it("finds a place for what fits, on nodes that admit it", () => {
    const pods = [asking("a", "proj-k8sw01", { cpu: "3" }), asking("b", "proj-k8sw02", { cpu: "3" })];
    assert.equal(room(ofCluster({ pods }), "proj-k8sw01")?.verdict, "pass");
    const tainted = settings.nodes.map(({ name }) =>
      clusterNode(
        name,
        name === "proj-k8sw01" ? {} : { spec: { taints: [{ key: "k", effect: "NoSchedule" }] } },
      ),
    );
    assert.match(
      room(ofCluster({ pods, nodes: tainted }), "proj-k8sw01")?.found ?? "",
      /lab\/a \(no other open node admits it\)/,
    );
  });

  it("wants room for a whole wave at once", () => {
    const wide = { ...settings, waves: { ...settings.waves, maxUnavailable: 2, canary: 0 } };
    const pods = ["proj-k8sw01", "proj-k8sw02"].map((node) => asking(`on-${node}`, node, { cpu: "3" }));
    const full = ["proj-k8sw03", "proj-k8sw04"].map((node) => asking(`on-${node}`, node, { cpu: "3" }));
    const verdict = (given: V1Pod[]) =>
      judge(wide, ofCluster({ pods: given, nodes: kept }), OWNER).find(({ check }) =>
        /w01, .*w02: room for their/.test(check),
      )?.verdict;
    assert.equal(verdict(pods), "pass");
    const [one] = full;
    assert.equal(verdict([...pods, one as V1Pod]), "fail");
    // Each alone would fit: what waves are judged by is both at once.
    const serial = judge(settings, ofCluster({ pods: [...pods, one as V1Pod], nodes: kept }), OWNER);
    assert.ok(serial.every(({ verdict }) => verdict === "pass"));
  });

  it("has no place for a pod that could run on a fellow of its wave alone", () => {
    const wide = { ...settings, waves: { ...settings.waves, maxUnavailable: 2, canary: 0 } };
    const pair = { key: "pair", operator: "In", values: ["yes"] };
    const required = { nodeSelectorTerms: [{ matchExpressions: [pair] }] };
    const affinity = { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: required } };
    const nodes = settings.nodes.map(({ name }) =>
      clusterNode(name, {
        metadata: { name, labels: /w0[12]$/.test(name) ? { pair: "yes" } : {} },
      }),
    );
    const seen = ofCluster({ nodes, pods: [asking("twin", "proj-k8sw01", { cpu: "1" }, { affinity })] });
    const finding = judge(wide, seen, OWNER).find(({ check }) => /w01, .*w02: room/.test(check));
    assert.match(finding?.found ?? "", /no place for lab\/twin/);
    assert.match(finding?.next ?? "", /lower agents\.maxUnavailable/);
  });

  it("leaves pods out that can run nowhere else, and names them", () => {
    const gpu = asking("train", "proj-k8sw04", { "nvidia.com/gpu": "1" });
    const selects = asking(
      "own",
      "proj-k8sw04",
      {},
      { nodeSelector: { "kubernetes.io/hostname": "proj-k8sw04" } },
    );
    const data = asking(
      "data",
      "proj-k8sw04",
      {},
      { volumes: [{ name: "d", persistentVolumeClaim: { claimName: "d" } }] },
    );
    const volumes = [
      {
        metadata: { name: "local-1" },
        spec: {
          claimRef: { namespace: "lab", name: "d" },
          nodeAffinity: {
            required: {
              nodeSelectorTerms: [
                {
                  matchExpressions: [
                    { key: "kubernetes.io/hostname", operator: "In", values: ["proj-k8sw04"] },
                  ],
                },
              ],
            },
          },
        },
      },
    ];
    const found = room(ofCluster({ pods: [gpu, selects, data], volumes }), "proj-k8sw04");
    assert.equal(found?.verdict, "pass");
    assert.match(found?.found ?? "", /0 pods find a place; wait for it: .*train \(no other node has nvidia/);
    assert.match(
      found?.found ?? "",
      /own \(no other open node admits it\).*data \(its volume local-1 lies there\)/,
    );
  });

  it("has pods wait that their own rules keep off every other agent, and names them", () => {
    const labels = { app: "store" };
    const term = { topologyKey: "kubernetes.io/hostname", labelSelector: { matchLabels: labels } };
    const affinity = { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] } };
    const on = (agents: readonly { name: string }[], spec: object) =>
      agents.map(({ name }) => {
        const one = asking(`store-${name}`, name, { cpu: "100m" }, spec);
        return { ...one, metadata: { ...one.metadata, labels } };
      });
    const everywhere = on(settings.agents, { affinity });
    const held = room(ofCluster({ nodes: kept, pods: everywhere }), "proj-k8sw01");
    assert.equal(held?.verdict, "pass");
    assert.match(
      held?.found ?? "",
      /^0 pods find a place; wait for it: lab\/store-proj-k8sw01 \(its required anti-affinity\)$/,
    );
    // One agent is free of them: there it finds a place.
    const free = room(ofCluster({ nodes: kept, pods: everywhere.slice(0, -1) }), "proj-k8sw01");
    assert.equal(free?.found, "1 pods find a place");
    // Two that go together have one free agent between them: serially each would find it.
    const wide = { ...settings, waves: { ...settings.waves, maxUnavailable: 2, canary: 0 } };
    const both = judge(wide, ofCluster({ nodes: kept, pods: everywhere.slice(0, -1) }), OWNER).find(
      ({ check }) => /w01, .*w02: room/.test(check),
    );
    assert.equal(both?.verdict, "fail");
    assert.match(both?.found ?? "", /no place for lab\/store-proj-k8sw0[12]$/);
  });

  it("wants 30 % of a server free, by what is asked for and by what is in use", () => {
    only(ofCluster({ pods: [asking("big", "proj-k8sm02", { cpu: "2900m" })] }), /m02: free capacity/);
    only(ofNode("proj-k8sm02", { memoryFreeMiB: 4000, server: healthyServer }), /m02: free capacity/);
    only(ofServer("proj-k8sm02", { cpuUsed: 0.9 }), /m02: free capacity/, "warn");
    assert.match(
      only(ofServer("proj-k8sm02", { cpuUsed: undefined }), /m02: free capacity/, "warn").found,
      /cpu in use unknown/,
    );
  });
});

describe("observe/checks: etcd", () => {
  const { members } = healthyEtcd;
  const ofEtcd = (etcd: Parameters<typeof withEtcd>[1]) => withEtcd("proj-k8sm03", etcd);

  it("stops for learners, strangers, missing members, no leader, two leaders, an alarm, by anybody's word", () => {
    only(ofEtcd({ members: members.map((m, i) => ({ ...m, isLearner: i === 1 })) }), /etcd: whole/);
    only(ofEtcd({ members: members.slice(1) }), /etcd: whole/);
    const stranger = { name: "old-server-1f", peerUrl: "x", isLearner: false, version: "3.6.16" };
    assert.match(
      only(ofEtcd({ members: [...members.slice(1), stranger] }), /etcd: whole/).found,
      /old-server/,
    );
    assert.match(only(ofEtcd({ leader: "8" }), /etcd: whole/).found, /2 leaders/);
    assert.match(only(ofEtcd({ leader: "0" }), /etcd: whole/).found, /no leader by the word of proj-k8sm03/);
    assert.match(only(ofEtcd({ alarms: 1 }), /etcd: whole/).next ?? "", /NOSPACE/);
  });

  it("does not take silence for one leader and no alarm", () => {
    const silent = only(ofEtcd({ alarms: undefined }), /etcd: whole/, "not measured");
    assert.match(silent.found, /proj-k8sm03 does not say whether there is an alarm/);
    const unread = judge(settings, ofServer("proj-k8sm03", { etcd: undefined }), OWNER).filter(
      ({ verdict }) => verdict !== "pass",
    );
    assert.deepEqual(
      unread.map(({ check, verdict, found }) => `${check}: ${verdict}: ${found}`),
      [
        "etcd: whole: not measured: proj-k8sm03's own etcd was not read",
        "etcd: database against its quota: not measured: not read: proj-k8sm03",
      ],
    );
    only(ofEtcd({ quotaBytes: undefined }), /quota/, "not measured");
    only(ofServer("proj-k8sm03", { fsyncs: undefined, fsyncMs: undefined }), /writes/, "not measured");
    const idle = judge(settings, ofServer("proj-k8sm03", { fsyncs: 0, fsyncMs: undefined }), OWNER);
    assert.match(idle.find(({ check }) => /writes/.test(check))?.found ?? "", /m03 none in that second/);
    assert.ok(idle.every(({ verdict }) => verdict === "pass"));
  });

  it("lets the server in its turn be silent, and asks nobody who was not looked at", () => {
    const turning = clusterNode("proj-k8sm03", {
      metadata: { name: "proj-k8sm03", annotations: { "rke2-upgrade/working": settings.changeId } },
    });
    const nodes = settings.nodes.map(({ name }) => (name === "proj-k8sm03" ? turning : clusterNode(name)));
    const down = { ...facts({ cluster: { nodes }, node: ["proj-k8sm03", { server: undefined }] }) };
    assert.ok(judge(settings, down, OWNER).every(({ verdict }) => verdict === "pass"));
    const [agent] = settings.agents;
    assert.ok(agent);
    const alone = { ...facts(), nodes: new Map([...facts().nodes].filter(([name]) => name === agent.name)) };
    const whole = judgeTurn(settings, agent, alone, OWNER).filter(({ check }) => check.startsWith("etcd"));
    assert.deepEqual(
      whole.map(({ check, found }) => `${check}: ${found}`),
      ["etcd: whole: 3 members (3.6.16), one leader, no alarm, by the word of proj-k8sm01"],
    );
  });

  it("is judged without the Kubernetes API", () => {
    const seen = { ...ofEtcd({ alarms: 1, dbBytes: 0.95 * 2 ** 31 }), cluster: { missing: "refused" } };
    const told = judge(settings, seen, OWNER).filter(({ check }) => check.startsWith("etcd"));
    assert.deepEqual(
      told.map(({ check, verdict }) => `${check}: ${verdict}`),
      ["etcd: whole: fail", "etcd: database against its quota: fail", "etcd: writes to its log: pass"],
    );
  });

  it("judges the database against its quota", () => {
    const db = (share: number) => ofEtcd({ dbBytes: share * 2 ** 31 });
    assert.match(only(db(0.8), /quota/, "warn").found, /1638 of 2048 MiB on proj-k8sm03/);
    only(db(0.95), /quota/);
  });

  it("judges how long its log takes to reach the disk", () => {
    assert.match(only(ofServer("proj-k8sm02", { fsyncMs: 200 }), /writes/, "warn").found, /m02 200\.0 ms/);
    only(ofServer("proj-k8sm02", { fsyncMs: 700 }), /writes/);
  });
});

describe("observe/checks: beside the cluster", () => {
  it("stops for a dashboard that answers with an error, or not at all", () => {
    const url = "https://grafana.lab/login";
    const with_ = (status: { value: number } | { missing: string }) => ({
      ...facts(),
      dashboards: [{ url, status }],
    });
    only(with_({ value: 503 }), /grafana/);
    only(with_({ missing: "ECONNREFUSED" }), /grafana/);
    assert.ok(judge(settings, with_({ value: 302 }), OWNER).every(({ verdict }) => verdict === "pass"));
  });

  it("stops for a configured kubeconfig of another cluster, or one that ends soon", () => {
    const day = 86_400_000;
    const given = (caSha256: string, days: number) => ({
      ...facts(),
      kubeconfig: { caSha256, expires: new Date(Date.now() + days * day) },
    });
    const { kubeconfigCa } = healthyServer;
    only(given("another", 100), /kubeconfig/);
    only(given(kubeconfigCa, 3), /kubeconfig/);
    assert.ok(judge(settings, given(kubeconfigCa, 100), OWNER).every(({ verdict }) => verdict === "pass"));
    const unread = (days: number) => {
      const seen = given(kubeconfigCa, days);
      const nodes = new Map(seen.nodes);
      for (const [name, node] of seen.nodes)
        if ("value" in node && node.value.server)
          nodes.set(name, { value: { ...node.value, server: { ...healthyServer, kubeconfigCa: "" } } });
      return { ...seen, nodes };
    };
    only(unread(100), /kubeconfig/, "not measured");
    only(unread(3), /kubeconfig/);
  });
});
