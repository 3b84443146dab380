#!/bin/sh
# Removes RKE2 from this node: services, programs, configuration and all data, snapshots included.
set -e
if [ "$(id -u)" -ne 0 ]; then
  echo "$(basename "$0"): must be run as root" >&2
  exit 1
fi

RKE2_DATA_DIR=${RKE2_DATA_DIR:-/var/lib/rancher/rke2}
INSTALL_RKE2_ROOT=${INSTALL_RKE2_ROOT:-/usr/local}

set -x
"$(dirname "$0")/rke2-killall.sh" || true

systemctl disable rke2-server rke2-agent || true
systemctl reset-failed rke2-server rke2-agent || true

rm -f "$INSTALL_RKE2_ROOT"/lib/systemd/system/rke2-*.service "$INSTALL_RKE2_ROOT"/lib/systemd/system/rke2-*.env
rm -f /etc/systemd/system/rke2-*.service
rm -f "$INSTALL_RKE2_ROOT/bin/rke2" "$INSTALL_RKE2_ROOT/bin/rke2-killall.sh"
systemctl daemon-reload

rm -rf /etc/rancher/rke2 /etc/rancher/node /etc/cni /opt/cni/bin /var/lib/cni /var/log/pods /var/log/containers
rm -d /etc/rancher || true
rm -rf --one-file-system /var/lib/kubelet || true
rm -rf -- "$RKE2_DATA_DIR"
rm -d /var/lib/rancher || true
rm -f "$INSTALL_RKE2_ROOT/bin/rke2-uninstall.sh"
