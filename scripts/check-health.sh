#!/usr/bin/env bash
# Between two servers' snapshots: the paused machine is back in its quorum and Ready (facts: Proxmox).
#
# Usage: SERVERS SECONDS
# shellcheck disable=SC2317 # healthy is called by until_ok
servers=$1 seconds=$2
healthy() {
  local waiting
  waiting=$(nodes_table | awk -F'|' '$2 != "True" { print $1 }' | tr '\n' ' ') || return 1
  [ -z "$waiting" ] || { echo "not Ready: $waiting" && return 1; }
  (etcd_healthy "$servers") 2>&1
}
api_ready
until_ok "$seconds" healthy || fail "after $seconds s: $LAST" "kubectl get nodes; no further machine is paused until this one is back"
result members "$servers"
# end of step
