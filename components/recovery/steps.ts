/** The steps of a way back, decided: which script, where, with which arguments. Pure. */
import type { ClusterNode, Settings } from "../../config";
import { helperFor, type PlannedStep } from "../turns";

/** Killing all containers and unmounting what they leave, beside the stop of the service itself. */
const STOP_SECONDS = 300;

/**
 * Before nodes go: their pods end with their grace, as far as the API and the budgets let them.
 * @param unless a node that runs this version and was not touched stays as it is
 */
export const drainFirst = (
  settings: Settings,
  on: ClusterNode,
  nodes: readonly ClusterNode[],
  unless = "",
): PlannedStep => ({
  id: "back-drain",
  title: `drain ${nodes.map(({ name }) => name).join(", ")} as far as that goes, at most ${settings.drain.graceSeconds} s`,
  on,
  script: "back-drain",
  args: [
    settings.changeId,
    unless,
    settings.drain.graceSeconds,
    settings.consents.emptyDir.length > 0 ? "yes" : "",
    settings.consents.barePods.length > 0 ? "yes" : "",
    ...nodes.map(({ name }) => name),
  ],
  // Beside the grace: kubectl's own end (15 s) and what is asked before, 8 s a question (KUBE_SECONDS); the rest is to spare.
  limitSeconds: settings.drain.graceSeconds + 90,
  ofAttempt: true,
});

/** Where going back stops a node: the service alone, one node after another, or everything that RKE2 started. */
export const stop = (
  settings: Settings,
  node: ClusterNode,
  what: "service" | "everything",
  version: string,
): PlannedStep => ({
  id: "back-stop",
  title:
    what === "service"
      ? "stop RKE2 and hold it, unless it runs the accepted release"
      : "stop RKE2, etcd and every container, and hold them",
  on: node,
  script: "back-stop",
  args: [settings.changeId, node.role, what, version],
  limitSeconds: STOP_SECONDS,
  ofAttempt: true,
});

/** RKE2's config as it was before the change. */
export const configBack = (settings: Settings, node: ClusterNode): PlannedStep => ({
  id: "back-config",
  title: "put RKE2's config back as it was before the change",
  on: node,
  script: "back-config",
  args: [settings.changeId],
  limitSeconds: settings.limits.gateSeconds,
  ofAttempt: true,
});

/** A release from the files on the node. */
export const install = (settings: Settings, node: ClusterNode, version: string): PlannedStep => ({
  id: "back-install",
  title: `install ${version} from the checked files on the node`,
  on: node,
  script: "install-release",
  args: [node.role, version],
  limitSeconds: settings.limits.installSeconds,
});

/** Servers that lost their quorum need one another to come up: those that are down are started without waiting. */
export const wake = (
  settings: Settings,
  node: ClusterNode,
  version: string,
  direction: "back" | "forward",
): PlannedStep => ({
  id: "wake",
  title: `if RKE2 is down here, ${direction === "back" ? `start it on ${version}` : "start it"} without waiting`,
  on: node,
  script: "wake-node",
  args: [settings.changeId, node.role, version, direction, settings.limits.serviceStartSeconds],
  limitSeconds: STOP_SECONDS + settings.limits.installSeconds,
  ofAttempt: true,
});

/** etcd's data from the snapshot that was placed on this server; it is the only member then. */
export const resetEtcd = (settings: Settings, node: ClusterNode): PlannedStep => ({
  id: "back-reset",
  title: "restore etcd from the snapshot; this server is its only member then",
  on: node,
  script: "back-reset",
  args: [settings.changeId, settings.limits.serviceStartSeconds],
  limitSeconds: settings.limits.serviceStartSeconds + STOP_SECONDS,
  ofAttempt: true,
});

/** A server's own etcd data away, so that it joins as a new member. */
export const wipe = (settings: Settings, node: ClusterNode): PlannedStep => ({
  id: "back-wipe",
  title: "move its etcd data aside, so that it joins anew",
  on: node,
  script: "back-wipe",
  args: [settings.changeId],
  limitSeconds: STOP_SECONDS,
  ofAttempt: true,
});

/** Start, and wait. @param join a live server's address, whatever the config says; none: it founds or has its data */
export const start = (settings: Settings, node: ClusterNode, version: string, join = ""): PlannedStep => ({
  id: "back-start",
  title: `start RKE2 ${join && join !== "none" ? `joining ${join}` : `on ${version}`}`,
  on: node,
  script: "back-start",
  args: [settings.changeId, node.role, version, settings.limits.serviceStartSeconds, join],
  // One that joins may have to be stopped and its data moved aside first, once more.
  limitSeconds: settings.limits.serviceStartSeconds + 60 + (join && join !== "none" ? STOP_SECONDS : 0),
  ofAttempt: true,
});

/** A member out of etcd, asked on another server. */
export const removeMember = (settings: Settings, node: ClusterNode): PlannedStep => ({
  id: "member-remove",
  title: "remove its member from etcd, the others all being well",
  on: helperFor(settings, node),
  script: "member-remove",
  args: [settings.changeId, node.name, node.internalIp, settings.servers.length],
  limitSeconds: settings.limits.gateSeconds,
  ofAttempt: true,
});

/** Nodes proven back from a server, our marks and cordons taken off. */
export const verifyBack = (
  settings: Settings,
  on: ClusterNode,
  nodes: readonly ClusterNode[],
  version: string,
  seconds = settings.limits.readySeconds,
): PlannedStep => ({
  id: "verify-back",
  title: `prove from a server: Ready${version && ` on ${version}`}, leases, etcd whole; take our cordon off`,
  on,
  script: "verify-back",
  args: [
    settings.changeId,
    version,
    settings.servers.length,
    settings.limits.leaseSeconds,
    seconds,
    ...nodes.map(({ name }) => name),
  ],
  limitSeconds: seconds * 2 + 60,
});

/** What only the way back needed goes. */
export const finish = (settings: Settings, node: ClusterNode): PlannedStep => ({
  id: "back-finish",
  title: "take away what only the way back needed",
  on: node,
  script: "back-finish",
  args: [settings.changeId, node.role],
  limitSeconds: settings.limits.gateSeconds,
  ofAttempt: true,
});
