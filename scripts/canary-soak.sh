#!/usr/bin/env bash
# Watches the cluster after the first agents, with nobody in turn: what the new version does to those shows before any
# other is touched.
#
# Usage: WANTED LEASE_SECONDS READY_SECONDS SOAK_SECONDS NODE…
#   LEASE_SECONDS  a lease not renewed for longer than this is stale
#   READY_SECONDS  until everything must be well; SOAK_SECONDS  how long it must then stay so; NODE  the first agents
# shellcheck disable=SC2317 # well is called by until_ok
wanted=$1 lease_seconds=$2 ready_seconds=$3 soak_seconds=$4
shift 4
canaries=$*

# Every condition, or the first that does not hold, on stdout.
well() {
  local table wrong stale node
  table=$(nodes_table) || return 1
  wrong=$(awk -F'|' '$2 != "True" { print $1 }' <<<"$table" | tr '\n' ' ')
  [ -z "$wrong" ] || { echo "not Ready: $wrong" && return 1; }
  for node in $canaries; do
    wrong=$(awk -F'|' -v n="$node" '$1 == n { print $3 "|" $4 "|" $5 }' <<<"$table")
    [ "$wrong" = "$wanted||" ] || { echo "$node is version|cordoned|in its turn $wrong, wanted $wanted||" && return 1; }
    calm "$node" with-pending || return 1
  done
  stale=$(stale_leases "$lease_seconds") || return 1
  [ -z "$stale" ] || { echo "no lease renewed for over $lease_seconds s: $stale (rancher/rke2#6208: systemctl restart rke2-agent there)" && return 1; }
}

next="look at $canaries: kubectl describe node, kubectl get pods -A -o wide; no other agent was touched; mend it and run pulumi up again, or take these back (docs/goBack.md)"
api_ready
until_ok "$ready_seconds" well || fail "after the first agents, for $ready_seconds s: $LAST" "$next"
say "watching $canaries for $soak_seconds s"
stays "$soak_seconds" well || fail "while the first agents were being watched: $LAST" "$next"
result canaries "$canaries" watchedSeconds "$soak_seconds"
# end of step
