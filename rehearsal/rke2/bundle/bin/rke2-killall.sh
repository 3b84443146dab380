#!/bin/sh
# Stops RKE2 and everything that it started on this node: containers outlive its services, by design.
# As RKE2's own, it also removes the control plane's manifests; data and configuration stay.
if [ "$(id -u)" -ne 0 ]; then
  echo "$(basename "$0"): must be run as root" >&2
  exit 1
fi

RKE2_DATA_DIR=${RKE2_DATA_DIR:-/var/lib/rancher/rke2}

# tree PID…: these processes and all that descend from them
tree() {
  for pid in "$@"; do
    echo "$pid"
    # shellcheck disable=SC2046 # one word a process
    tree $(ps -o pid= --ppid "$pid")
  done
}

# shims: the parents of the containers' processes
shims() {
  COLUMNS=2147483647 ps -e -o pid=,args= | awk '$2 ~ /containerd-shim/ { print $1 }'
}

# unmount_below DIRECTORY: unmounts all below it, the deepest first, and removes what it was mounted on
unmount_below() {
  awk -v below="$1" 'index($2, below) == 1 { print $2 }' /proc/self/mounts | sort -r | while read -r mount; do
    umount -- "$mount" && rm -rf --one-file-system -- "$mount"
  done
}

set -x

systemctl stop rke2-server.service || true
systemctl stop rke2-agent.service || true

# shellcheck disable=SC2046 # one word a process
kill -9 $(tree $(shims)) 2>/dev/null

unmount_below /run/k3s
unmount_below /var/lib/kubelet/pods
unmount_below /run/netns/cni-

# Containerd's volatile state goes with the containers: it lives on a mount of its own on most nodes.
rm -rf /run/k3s/containerd

for component in etcd kube-apiserver kube-controller-manager cloud-controller-manager kube-scheduler kube-proxy; do
  rm -f "$RKE2_DATA_DIR/agent/pod-manifests/$component.yaml"
done
