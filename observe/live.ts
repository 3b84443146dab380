import type { Settings } from "../config";
import type { Facts } from "./facts";

/** Marks that a node bears in its turn (scripts/lib-cluster.sh). */
const MARKS = ["rke2-upgrade/working", "rke2-upgrade/cordoned"];

/**
 * Why the cluster does not live on `rke2Version`: nodes that do not run it or are not Ready, an unfinished turn, an
 * etcd that is not whole. Empty where it does. What was not measured is a reason too. Pure.
 */
export function notLive(settings: Settings, { nodes, cluster }: Facts): string[] {
  const wanted = settings.rke2Version;
  const ofNodes = settings.nodes.flatMap(({ name }) => {
    const seen = nodes.get(name) ?? { missing: "not looked at" };
    if ("missing" in seen) return [`${name}: ${seen.missing}`];
    const { versionOnDisk, versionRunning, service } = seen.value;
    const lives = versionOnDisk === wanted && versionRunning === wanted && service === "active";
    return lives
      ? []
      : [`${name} runs ${versionRunning || "nothing"} (${service}), installed ${versionOnDisk}`];
  });
  if ("missing" in cluster) return [...ofNodes, cluster.missing];
  const { etcd } = cluster.value;
  const ofCluster = cluster.value.nodes.flatMap(({ metadata, status }) => {
    const ready = status?.conditions?.find(({ type }) => type === "Ready")?.status === "True";
    const marked = MARKS.some((mark) => metadata?.annotations?.[mark]);
    return ready && !marked ? [] : [`${metadata?.name} is ${ready ? "still in its turn" : "not Ready"}`];
  });
  const whole =
    etcd?.members.length === settings.servers.length &&
    etcd.members.every(({ version }) => version) &&
    etcd.leader !== "0" &&
    etcd.alarms === 0;
  return [
    ...ofNodes,
    ...ofCluster,
    ...(whole ? [] : ["etcd is not whole: a member, the leader, or an alarm"]),
  ];
}
