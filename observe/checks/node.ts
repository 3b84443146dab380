import { type ClusterNode, isAtLeastMinor, parseVersion, type Settings } from "../../config";
import { type Facts, inTurn } from "../facts";
import { type Finding, must } from "../finding";
import { type NodeFacts, parseNode } from "../node";
import { unknown, unmeasured } from "../unmeasured";
import { judgeCertificates } from "./certificates";
import { judgeContainerd } from "./containerd";
import { judgeDisk } from "./disk";
import { judgeLeft } from "./left";
import { judgePatchedMark } from "./osPatch";

/** One node's own word about itself: version, service, RKE2's config. */
export function judgeNode(
  settings: Settings,
  node: ClusterNode,
  facts: Facts,
  owner: string | undefined,
): Finding[] {
  const looked = facts.nodes.get(node.name) ?? { missing: "not looked at" };
  if ("missing" in looked) {
    const question = { check: `${node.name}: answers over SSH`, wanted: "an answer" };
    const next = `ssh -p ${node.port} ${node.user}@${node.address}`;
    // A node that says nothing tells what it would have been asked.
    const others = judgeSeen(settings, node, facts, { seen: parseNode("", 0, 0), owner });
    return [unknown(question, looked.missing, next), ...unmeasured(others, `see "${question.check}"`, next)];
  }
  return judgeSeen(settings, node, facts, { seen: looked.value, owner });
}

function judgeSeen(
  settings: Settings,
  node: ClusterNode,
  facts: Facts,
  { seen, owner }: { seen: NodeFacts; owner: string | undefined },
): Finding[] {
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
              : `bring it to ${accepted}; where the nodes never ran that, set rke2Version and acceptedVersion both to what they run`,
          }),
    },
  ];
  findings.push(judgeLeft(settings, node, seen, turn), ...judgePatchedMark(settings, node, facts, seen));
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
      next: "not supported, and no way from rpm to tar in place is known: replace the node by one from the tarball, one at a time (docs/checks.md#rke2-installed-by-rpm)",
    });
  }
  if (seen.unknownLayout.length > 0) {
    findings.push({
      check: `${node.name}: RKE2's data and parts are where its defaults have them`,
      found: `RKE2's config sets ${seen.unknownLayout.join(", ")}: not supported`,
      wanted: "neither a data-dir nor a datastore of its own, and no part of a server disabled",
      verdict: "fail",
      next: "upgrade this cluster by other means; do not take that out of the config of a node that runs: it would begin without its data",
    });
  }
  findings.push(...judgeEtcdMounts(node, seen.etcdMounts));
  const version = parseVersion(target);
  if (version && isAtLeastMinor(version, 1, 35)) {
    findings.push({
      check: `${node.name}: control groups`,
      found: seen.cgroup,
      wanted: "cgroup2fs",
      ...must(
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
      ...must(
        seen.ingressController === settings.ingressController,
        `write 'ingress-controller: ${asYaml(settings.ingressController)}' into /etc/rancher/rke2/config.yaml: from 1.36 on an unset one starts a Traefik of its own`,
      ),
    });
  }
  findings.push(
    ...judgeDisk(settings, node, seen),
    ...judgeCertificates(settings, node, seen, { now: new Date(), turn }),
    ...judgeContainerd(node, seen),
  );
  return findings;
}

/** A way back moves etcd's folder, which a mount does not let happen: asked before, since then everything stands still. Pure. */
export function judgeEtcdMounts(node: ClusterNode, mounts: readonly string[]): Finding[] {
  if (mounts.length === 0) return [];
  return [
    {
      check: `${node.name}: etcd's data can be moved aside`,
      found: `a mount of its own at ${mounts.join(", ")}`,
      wanted: "none at or below /var/lib/rancher/rke2/server/db/etcd, so that it can go back",
      verdict: "fail",
      next: "mount that disk at /var/lib/rancher/rke2/server/db (docs/checks.md#etcd-on-a-disk-of-its-own)",
    },
  ];
}

/** One value as it stands, several as the list that RKE2 takes. */
const asYaml = (controllers: string): string =>
  controllers.includes(",") ? `[${controllers.replaceAll(",", ", ")}]` : controllers;
