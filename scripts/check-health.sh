#!/usr/bin/env bash
# Between two servers' snapshots: the paused machine is back in its quorum and Ready.
#
# Usage: SERVERS SECONDS
# shellcheck disable=SC2317 # healthy is called by until_ok
servers=$1 seconds=$2
healthy() {
  local table waiting
  # A rerun may find a node in its turn: that one is not the pause's doing.
  table=$(nodes_table) || return 1
  waiting=$(awk -F'|' '$2 != "True" && $5 == "" { print $1 }' <<<"$table" | tr '\n' ' ')
  [ -z "$waiting" ] || { echo "not Ready: $waiting" && return 1; }
  (etcd_healthy "$servers" "$(awk -F'|' '$5 != "" && $2 != "True" { n = 1 } END { print n + 0 }' <<<"$table")") 2>&1
}
api_ready
until_ok "$seconds" healthy || fail "after $seconds s: $LAST" "kubectl get nodes; no further machine is paused until this one is back"
result members "$servers"
# end of step
