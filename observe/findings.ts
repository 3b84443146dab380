import { type ClusterNode, isAtLeastMinor, parseVersion, type Settings } from "../config";
import type { ClusterFacts } from "./cluster";
import { podsAtRisk } from "./drain";
import type { Look } from "./look";
import type { NodeFacts } from "./node";
import type { HostFacts } from "./proxmox";

/** One check's finding: the evidence of the change request, and in `up` the gate. */
export interface Finding {
  /** What was asked, in a few words. */
  readonly check: string;
  /** What was seen. */
  readonly found: string;
  /** What had to be seen. */
  readonly wanted: string;
  /** `fail` stops an `up` before anything is touched; `not measured` stops it too, since nobody knows. */
  readonly verdict: "pass" | "warn" | "fail" | "not measured";
  /** What to do next; there for all but `pass`. */
  readonly next?: string;
}

/** All that was looked at, at one moment. */
export interface Facts {
  readonly nodes: ReadonlyMap<string, Look<NodeFacts>>;
  readonly cluster: Look<ClusterFacts>;
  readonly hosts: Look<HostFacts>;
}

/** Annotation on a node in its turn: the change's ID (scripts/gate-cluster.sh). */
const WORKING = "rke2-upgrade/working";
const CORDONED = "rke2-upgrade/cordoned";
/** RKE2's tarball unpacked thrice, roughly; the gate on the node asks the same. */
const MIN_FREE_MIB = 2048;

/**
 * Judges what was seen against what must hold before anything is changed. Pure.
 *
 * A node that bears this change's mark is in its turn: it may be down, cordoned or on either version, since the
 * run that goes on is what brings it back. No other may.
 * @param owner the UUID of this stack's change; undefined before the first `up`, when any holder is another's
 */
export function judge(settings: Settings, facts: Facts, owner: string | undefined): Finding[] {
  return [
    ...settings.nodes.flatMap((node) => judgeNode(settings, node, facts, owner)),
    ...judgeCluster(settings, facts.cluster, owner),
    ...judgeHosts(settings, facts.hosts),
  ];
}

/** Whether the node's turn has begun and not ended, by the cluster's word. */
export function inTurn(settings: Settings, cluster: Look<ClusterFacts>, name: string): boolean {
  if (!("value" in cluster)) return false;
  const found = cluster.value.nodes.find((node) => node.metadata?.name === name);
  return found?.metadata?.annotations?.[WORKING] === settings.changeId;
}

function judgeNode(
  settings: Settings,
  node: ClusterNode,
  facts: Facts,
  owner: string | undefined,
): Finding[] {
  const looked = facts.nodes.get(node.name) ?? { missing: "not looked at" };
  if ("missing" in looked) {
    return [
      {
        check: `${node.name}: answers over SSH`,
        found: looked.missing,
        wanted: "an answer",
        verdict: "not measured",
        next: `ssh -p ${node.port} ${node.user}@${node.address}`,
      },
    ];
  }
  const seen = looked.value;
  const { rke2Version: target, acceptedVersion: accepted } = settings;
  const turn = inTurn(settings, facts.cluster, node.name);
  const healthy = seen.service === "active" && seen.versionRunning === seen.versionOnDisk;
  const known = [target, accepted].includes(seen.versionOnDisk);
  const findings: Finding[] = [
    {
      check: `${node.name}: runs RKE2`,
      found: `${seen.versionRunning || "nothing"} (${seen.service}), installed ${seen.versionOnDisk || "unreadable"}`,
      wanted: target === accepted ? `${target}, active` : `${accepted} or ${target}, active`,
      ...(turn || (healthy && known)
        ? { verdict: "pass" }
        : {
            verdict: "fail",
            next: known
              ? `journalctl -u rke2-${node.role} -n 50 on it; only a healthy node is upgraded`
              : "set acceptedVersion to what the nodes run",
          }),
    },
    {
      check: `${node.name}: free below /var/lib/rancher/rke2`,
      found: `${seen.freeMiB} MiB`,
      wanted: `${MIN_FREE_MIB} MiB`,
      ...verdict(
        seen.freeMiB >= MIN_FREE_MIB,
        "free space: old etcd snapshots, images (crictl rmi --prune), journals",
      ),
    },
  ];
  const held = seen.owner !== "" && seen.owner.split(" ")[0] !== owner;
  if (held) {
    findings.push({
      check: `${node.name}: held by no other change`,
      found: seen.owner.split(" ").slice(1).join(" "),
      wanted: "free, or held by this change",
      verdict: "fail",
      next: "finish or accept that change first",
    });
  }
  if (seen.rancherManaged) {
    findings.push({
      check: `${node.name}: not provisioned by Rancher`,
      found: "/etc/rancher/rke2/config.yaml.d/50-rancher.yaml",
      wanted: "no such file",
      verdict: "fail",
      next: "upgrade this cluster in Rancher, which would undo what is done here",
    });
  }
  if (seen.binary === "/usr/bin/rke2") {
    findings.push({
      check: `${node.name}: RKE2 from its tarball`,
      found: "installed by rpm, whose scripts restart the service by themselves",
      wanted: "a tar installation",
      verdict: "fail",
      next: "reinstall with INSTALL_RKE2_METHOD=tar; rpm is not supported yet",
    });
  }
  const version = parseVersion(target);
  if (version && isAtLeastMinor(version, 1, 35)) {
    findings.push({
      check: `${node.name}: control groups`,
      found: seen.cgroup,
      wanted: "cgroup2fs",
      ...verdict(
        seen.cgroup === "cgroup2fs",
        "a kubelet from 1.35 on refuses cgroup v1: boot with systemd.unified_cgroup_hierarchy=1",
      ),
    });
  }
  if (node.role === "server" && settings.ingressController) {
    findings.push({
      check: `${node.name}: ingress-controller`,
      found: seen.ingressController || "not set",
      wanted: settings.ingressController,
      ...verdict(
        seen.ingressController === settings.ingressController,
        `write 'ingress-controller: ${settings.ingressController}' into /etc/rancher/rke2/config.yaml: from 1.36 on an unset one starts a Traefik of its own`,
      ),
    });
  }
  return findings;
}

function judgeCluster(settings: Settings, looked: Look<ClusterFacts>, owner: string | undefined): Finding[] {
  if ("missing" in looked) {
    return [
      {
        check: "cluster: the API answers",
        found: looked.missing,
        wanted: "an answer",
        verdict: "not measured",
        next: "kubectl get --raw '/readyz?verbose' on a server",
      },
    ];
  }
  const seen = looked.value;
  const turn = (name: string) => inTurn(settings, looked, name);
  const name = (node: ClusterFacts["nodes"][number]) => node.metadata?.name ?? "";
  const notReady = seen.nodes.filter(
    (node) => node.status?.conditions?.find((c) => c.type === "Ready")?.status !== "True",
  );
  const sick = notReady.map(name).filter((n) => !turn(n));
  const stale = seen.leases
    .filter(
      (lease) =>
        seen.at.getTime() - new Date(lease.spec?.renewTime ?? 0).getTime() >
        settings.limits.leaseSeconds * 1000,
    )
    .map((lease) => lease.metadata?.name ?? "")
    .filter((n) => seen.nodes.some((node) => name(node) === n) && !turn(n));
  const foreign = seen.nodes
    .filter(
      (node) => node.spec?.unschedulable && node.metadata?.annotations?.[CORDONED] !== settings.changeId,
    )
    .map(name);
  const uncordoned = seen.nodes
    .filter(
      (node) =>
        node.metadata?.annotations?.[CORDONED] === settings.changeId &&
        !node.spec?.unschedulable &&
        node.status?.nodeInfo?.kubeletVersion !== settings.rke2Version,
    )
    .map(name);
  const configured = settings.nodes.map((node) => node.name);
  const unknown = seen.nodes.map(name).filter((n) => !configured.includes(n));
  const absent = configured.filter((n) => !seen.nodes.some((node) => name(node) === n));
  const risks = settings.agents.flatMap((agent) =>
    turn(agent.name) ? [] : podsAtRisk(settings, agent, seen.pods),
  );
  const blocked = seen.budgets
    .filter((budget) => (budget.status?.expectedPods ?? 0) > 0 && budget.status?.disruptionsAllowed === 0)
    .map((budget) => `${budget.metadata?.namespace}/${budget.metadata?.name}`);
  return [
    {
      check: "cluster: the API answers",
      found: `ready in ${seen.readyMs} ms, asked on ${seen.askedOn}`,
      wanted: `below ${settings.limits.apiSlowMs} ms`,
      ...verdict(
        seen.readyMs < settings.limits.apiSlowMs,
        "find what loads the servers: kubectl top nodes, etcd's disk",
      ),
    },
    {
      check: "cluster: nodes Ready",
      found: sick.length
        ? `not Ready: ${sick.join(", ")}`
        : `${seen.nodes.length - notReady.length} of ${seen.nodes.length}`,
      wanted: "all, but for one in its turn",
      ...verdict(
        sick.length === 0,
        `kubectl describe node ${sick[0]}; nothing is taken down while another node is`,
      ),
    },
    {
      check: "cluster: leases renewed",
      found: stale.length ? `stale: ${stale.join(", ")}` : "all",
      wanted: `within ${settings.limits.leaseSeconds} s`,
      ...verdict(
        stale.length === 0,
        "the kubelet there has lost the API (rancher/rke2#6208): restart rke2 on it",
      ),
    },
    {
      check: "cluster: nodes as configured",
      found:
        [
          ...unknown.map((n) => `${n} is not in nodes`),
          ...absent.map((n) => `${n} is not in the cluster`),
        ].join(", ") || `${configured.length}`,
      wanted: `${configured.length}, the same names`,
      ...verdict(
        unknown.length + absent.length === 0,
        "every node of the cluster must stand in nodes: skew is judged over all of them",
      ),
    },
    {
      check: "cluster: cordons",
      found: foreign.length ? `by somebody else: ${foreign.join(", ")}` : "none but ours",
      wanted: "none but ours",
      ...verdict(foreign.length === 0, "find out why; then kubectl uncordon"),
    },
    ...(uncordoned.length > 0
      ? [
          {
            check: "cluster: nodes in their turn are cordoned",
            found: `uncordoned by somebody: ${uncordoned.join(", ")}`,
            wanted: "cordoned until they run the new version",
            verdict: "fail",
            next: `kubectl drain ${uncordoned[0]} --ignore-daemonsets: its own drain may have run already, and pods may have come back`,
          } as const,
        ]
      : []),
    judgeEtcd(
      settings,
      seen,
      settings.servers.some((server) => turn(server.name)),
    ),
    {
      check: "cluster: pods a drain would hurt",
      found: risks.join(", ") || "none without consent",
      wanted: "none without consent",
      ...verdict(
        risks.length === 0,
        "name them in consents (emptyDir, barePods, longGrace), or move them away",
      ),
    },
    {
      check: "cluster: budgets that allow no disruption",
      found: blocked.join(", ") || "none",
      wanted: "none",
      ...(blocked.length === 0
        ? { verdict: "pass" }
        : { verdict: "warn", next: "the drain will wait for it and then stop: kubectl describe pdb" }),
    },
    ...(seen.lock && seen.lock.holder.split(" ")[0] !== owner
      ? [
          {
            check: "cluster: held by no other change",
            found: `${seen.lock.holder.split(" ").slice(1).join(" ")} since ${seen.lock.since}`,
            wanted: "free, or held by this change",
            verdict: "fail",
            next: "finish or accept that change first; only if it is known to be dead: kubectl -n kube-system delete lease rke2-upgrade",
          } as const,
        ]
      : []),
  ];
}

function judgeEtcd(
  settings: Settings,
  { members, hasLeader, alarms }: ClusterFacts,
  serverInTurn: boolean,
): Finding {
  const silent = members.filter((member) => !member.version);
  const wantedMembers = settings.servers.length;
  const answering = silent.length <= (serverInTurn ? 1 : 0);
  const versions = [...new Set(members.flatMap((member) => member.version ?? []))];
  return {
    check: "cluster: etcd",
    found: `${members.length} members (${versions.join(", ") || "no version"}), ${silent.length ? `silent: ${silent.map((m) => m.name).join(", ")}` : "all answer"}, ${hasLeader ? "a leader" : "no leader"}, ${alarms} alarms`,
    wanted: `${wantedMembers} members that answer, a leader, 0 alarms`,
    ...verdict(
      members.length === wantedMembers && answering && hasLeader && alarms === 0,
      "curl http://127.0.0.1:2381/health on each server; crictl ps -a --name etcd; no server is taken down while a member is",
    ),
  };
}

function judgeHosts(settings: Settings, looked: Look<HostFacts>): readonly Finding[] {
  if ("missing" in looked) {
    return [
      {
        check: "proxmox: the API answers",
        found: looked.missing,
        wanted: "an answer",
        verdict: "not measured",
        next: `curl ${settings.proxmox.endpoint}/api2/json/version; the token's rights: docs/proxmox.md`,
      },
    ];
  }
  return looked.value.findings;
}

const verdict = (good: boolean, next: string): Pick<Finding, "verdict" | "next"> =>
  good ? { verdict: "pass" } : { verdict: "fail", next };
