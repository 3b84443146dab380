import { until } from "../machines/poll";
import type { Fault } from "./fault";
import { Kubectl } from "./kubectl";
import { onNode } from "./onNode";
import { readState } from "./state";

/** The unit of RKE2 that the node is enabled to run, server or agent. */
const UNIT = `$(systemctl list-unit-files 'rke2-*.service' --state=enabled --no-legend | awk 'NR == 1 { print $1 }')`;

const CONFIG = "/etc/rancher/rke2/config.yaml";
/** What has the RKE2 of the rehearsal fail when it starts (rehearsal/rke2/services.go). */
const FAILS = "/etc/rehearsal/faults/service-fails";
const OWNER = "/var/lib/rke2-upgrade/owner";
/** Nobody's UUID: the holder of what these faults hold. */
export const STRANGER = "00000000-0000-4000-8000-000000000000 CR-0000-000 of somebody@elsewhere";

/**
 * A soft threshold that no grace in sight follows: the kubelet reports the condition as soon as the threshold is met,
 * and evicts only after the grace (Kubernetes, "Node-pressure Eviction").
 */
const PRESSURE =
  "'kubelet-arg+:' '- eviction-soft=memory.available<90%' '- eviction-soft-grace-period=memory.available=24h'";

/** Waits until the cluster says so of a node. */
async function condition(node: string, type: string, status: string, seconds: number): Promise<unknown> {
  const kubectl = new Kubectl(await readState());
  const output = `--output=jsonpath={.status.conditions[?(@.type=="${type}")].status}`;
  const says = async () => (await kubectl.run(["get", "node", node, output])) === status;
  return until(`${node} to be ${type}=${status}`, seconds, says, 1000);
}

/** Faults of a node's RKE2, by name. */
export const rke2Faults: Readonly<Record<string, Fault>> = {
  "service-fails": onNode({
    name: "service-fails",
    effect: "rke2 ends with an error whenever it is started on that node",
    // In memory, with a link to it on the disk: a VM snapshot that was taken meanwhile must not bring the fault back.
    on: `sudo mkdir -p /etc/rehearsal/faults && sudo ln -sfn /run/fault-service-fails ${FAILS} && sudo touch /run/fault-service-fails`,
    off: `sudo rm -f ${FAILS} /run/fault-service-fails`,
    test: `test -e ${FAILS}`,
  }),
  "registry-down": onNode({
    name: "registry-down",
    effect: "that node reaches no registry with RKE2's images: they must be imported from agent/images",
    // As rehearsal/rke2/node/stage.go and rehearsal/kubernetes/cri/registry.go look for it.
    on: "sudo mkdir -p /etc/rehearsal/faults && sudo touch /etc/rehearsal/faults/registry-down",
    off: "sudo rm -f /etc/rehearsal/faults/registry-down",
    test: "test -e /etc/rehearsal/faults/registry-down",
  }),
  "service-stopped": onNode({
    name: "service-stopped",
    effect: "somebody has stopped rke2 on that node (NotReady after 50 s)",
    on: `sudo systemctl stop ${UNIT}`,
    off: `sudo systemctl start ${UNIT}`,
    test: `! systemctl is-active --quiet ${UNIT}`,
  }),
  "kubelet-frozen": onNode({
    name: "kubelet-frozen",
    effect: "the kubelet on that node stands still, rke2 around it runs: no lease, not Ready",
    on: "sudo pkill -STOP -x kubelet",
    off: "sudo pkill -CONT -x kubelet",
    test: "ps -o stat= -C kubelet | grep -q '^T'",
    // The node controller's own patience is 50 s.
    seen: (node, on) => condition(node, "Ready", on ? "Unknown" : "True", 150),
  }),
  "memory-pressure": onNode({
    name: "memory-pressure",
    effect: "the kubelet on that node reports MemoryPressure, by a soft threshold in RKE2's config",
    on: `printf '%s\\n' ${PRESSURE} | sudo install -D -m 600 /dev/stdin ${CONFIG}.d/90-fault-pressure.yaml && sudo systemctl restart ${UNIT}`,
    off: `sudo rm ${CONFIG}.d/90-fault-pressure.yaml && sudo systemctl restart ${UNIT}`,
    test: `sudo test -e ${CONFIG}.d/90-fault-pressure.yaml`,
    seen: (node, on) => condition(node, "MemoryPressure", on ? "True" : "False", 120),
  }),
  "ingress-undecided": onNode({
    name: "ingress-undecided",
    effect: "RKE2's config on that server does not say which ingress controller there is",
    on: `sudo cp -p ${CONFIG} ${CONFIG}.fault && sudo sed -i '/^ingress-controller:/d' ${CONFIG}`,
    off: `sudo mv ${CONFIG}.fault ${CONFIG}`,
    test: `sudo test -e ${CONFIG}.fault`,
  }),
  "rancher-managed": onNode({
    name: "rancher-managed",
    effect: "Rancher's provisioning has left its config on that node",
    on: `sudo install -D -m 600 /dev/null ${CONFIG}.d/50-rancher.yaml`,
    off: `sudo rm -f ${CONFIG}.d/50-rancher.yaml`,
    test: `sudo test -e ${CONFIG}.d/50-rancher.yaml`,
  }),
  "rpm-installed": onNode({
    name: "rpm-installed",
    effect: "RKE2 lies on that node where the rpm puts it",
    on: "sudo mv /usr/local/bin/rke2 /usr/bin/rke2",
    off: "sudo mv /usr/bin/rke2 /usr/local/bin/rke2",
    test: "test -e /usr/bin/rke2 && ! test -e /usr/local/bin/rke2",
  }),
  "node-held": onNode({
    name: "node-held",
    effect: "another change holds that node (refused where a change does so already)",
    // A link, as hold-node.sh takes it: it fails where somebody holds the node.
    on: `sudo mkdir -p ${OWNER.replace(/\/[^/]*$/, "")} && echo '${STRANGER} since 2026-01-01T00:00:00Z' | sudo tee ${OWNER}.fault >/dev/null && sudo ln ${OWNER}.fault ${OWNER}`,
    off: `sudo rm ${OWNER} ${OWNER}.fault`,
    test: `sudo grep -qs '^${STRANGER.split(" ")[0]} ' ${OWNER}`,
  }),
};
