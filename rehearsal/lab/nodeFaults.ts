import type { Fault } from "./fault";
import { fed, onNode } from "./onNode";

const FULL = "/var/lib/rke2-upgrade";
const CERTIFICATE = "/var/lib/rancher/rke2/agent/client-rke2-controller.crt";
const TEMPLATE = "/var/lib/rancher/rke2/agent/etc/containerd/config.toml.tmpl";
const KUBELET = "/var/lib/rancher/rke2/agent/kubelet.kubeconfig";
/** What the stand-ins of RKE2 read on their node (provision.ts). */
const NODE = "/etc/rehearsal/node.json";
const offers = (from: number, to: number) =>
  `sudo sed -i 's|"nvidia.com/gpu": "${from}"|"nvidia.com/gpu": "${to}"|' ${NODE}`;
const MEMINFO = "/run/fault-meminfo";
/** Half of what the program wants free. */
const FREE_KIB = 256 * 1024;

/** Faults of a node's machine, by name. */
export const nodeFaults: Readonly<Record<string, Fault>> = {
  "disk-full": onNode({
    name: "disk-full",
    effect: `the file system of ${FULL} has a few MiB and inodes left`,
    on: `sudo mkdir -p ${FULL} && sudo mount -t tmpfs -o size=16m,nr_inodes=64,mode=700 tmpfs ${FULL} && sudo bash -c 'for i in $(seq 62); do : >${FULL}/.full-$i || break; done'`,
    off: `sudo umount ${FULL}`,
    test: `grep -qs ' ${FULL} tmpfs ' /proc/mounts`,
  }),
  "certificate-expires": onNode({
    name: "certificate-expires",
    effect: "one of RKE2's certificates on that node ends in two days",
    // A file that RKE2 has there and this stand-in has no use for: nothing is cut off by it.
    on: `sudo openssl req -x509 -newkey rsa:2048 -nodes -keyout /dev/null -days 2 -subj /CN=system:rke2-controller -out ${CERTIFICATE} 2>/dev/null`,
    off: `sudo rm ${CERTIFICATE}`,
    test: `sudo test -e ${CERTIFICATE}`,
  }),
  "containerd-template": onNode({
    name: "containerd-template",
    effect: "a containerd template that does not build on RKE2's own, as gpu-operator has left behind",
    on: `sudo mkdir -p ${TEMPLATE.replace(/\/[^/]*$/, "")} && echo 'version = 2' | sudo tee ${TEMPLATE} >/dev/null`,
    off: `sudo rm -f ${TEMPLATE}`,
    test: `sudo test -e ${TEMPLATE}`,
  }),
  "gpu-lost": onNode({
    name: "gpu-lost",
    effect: "from RKE2's next start there that node offers no GPU, as after a driver that is not loaded",
    on: offers(1, 0),
    // A device plugin that comes up offers it at once; here the kubelet is told when it starts.
    off: `${offers(0, 1)} && sudo systemctl restart rke2-agent`,
    test: `grep -qs '"nvidia.com/gpu": "0"' ${NODE}`,
  }),
  "scan-new-failure": onNode({
    name: "scan-new-failure",
    effect: "the kubelet's kubeconfig is readable by all: CIS 4.1.5, until RKE2's next start there",
    on: `sudo chmod 644 ${KUBELET}`,
    off: `sudo chmod 600 ${KUBELET}`,
    test: `test "$(sudo stat -c %a ${KUBELET})" = 644`,
  }),
  "memory-full": onNode({
    name: "memory-full",
    effect: "that node says that 256 MiB of its memory are free (fed through /proc/meminfo)",
    on: `sed 's/^MemAvailable:.*/MemAvailable: ${FREE_KIB} kB/' /proc/meminfo | sudo tee ${MEMINFO} >/dev/null && sudo mount --bind ${MEMINFO} /proc/meminfo`,
    off: `sudo umount /proc/meminfo && sudo rm -f ${MEMINFO}`,
    test: "grep -qs ' /proc/meminfo ' /proc/mounts",
  }),
  "clock-skew": fed(
    "clock-skew",
    "date",
    "that node says that its clock is 5 s ahead (fed through date)",
    'exec /usr/bin/date -d "+5 seconds" "$@"',
  ),
  "cgroup-v1": fed(
    "cgroup-v1",
    "stat",
    "that node says that its control groups are of version 1 (fed through stat)",
    'case "$*" in *sys/fs/cgroup) echo tmpfs ;; *) exec /usr/bin/stat "$@" ;; esac',
  ),
};
