#!/usr/bin/env bash
# Powers a machine on and stays with it until it is off: what the hypervisor's
# process is for a VM. Run detached; its own standard streams are the console.
#
# usage: power-on.sh NAME ROOT IMAGES NETWORK_NAMESPACE BOOT_SECONDS CONTROL_GROUP
#   ROOT               the mounted disk
#   IMAGES             container images' binaries, seen at /usr/share/rehearsal/images
#   NETWORK_NAMESPACE  its name; removed when the machine powers itself off
#   BOOT_SECONDS       time that firmware and kernel would take before systemd starts
#   CONTROL_GROUP      joined before anything is started
set -euo pipefail
readonly name=$1 root=$2 images=$3 network=$4 boot_seconds=$5 group=$6

echo $$ >"$group/cgroup.procs"

# The guest manages its own control groups, of version 2 alone, also on a
# hybrid host: the kubelet refuses version 1.
export SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1

status=133 booted=
# 133: the guest asked to be rebooted. The fault no-return: it stays off then.
while ((status == 133)) && [[ ! -e $root/etc/rehearsal/faults/no-return || -z $booted ]]; do
  booted=yes
  sleep "$boot_seconds"
  status=0
  systemd-nspawn --quiet --settings=off --register=no --keep-unit --boot \
    --machine="$name" --directory="$root" --bind-ro="$images:/usr/share/rehearsal/images" \
    --network-namespace-path="/run/netns/$network" --capability=CAP_NET_ADMIN \
    --rlimit=RLIMIT_NOFILE=1024:524288 --resolv-conf=off --timezone=off --link-journal=no --console=read-only || status=$?
done
ip netns delete "$network"
