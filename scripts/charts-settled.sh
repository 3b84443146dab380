#!/usr/bin/env bash
# Waits until RKE2's own charts are installed and rolled out, before the first agent (rancher/rke2#7094): on a
# minor upgrade the helm-install jobs may fail between servers by design (#10441); now they must be complete.
#
# Usage: SECONDS
# shellcheck disable=SC2317,SC2016 # settled is called by until_ok; Go templates hold dollar signs
seconds=$1
settled() {
  local jobs sets
  jobs=$(kube "$API" -n kube-system get jobs -o go-template='{{range .items}}{{.metadata.name}} {{if .status.succeeded}}{{.status.succeeded}}{{else}}0{{end}}{{"\n"}}{{end}}' | awk '/^helm-install-/ && $2 < 1 { print $1 }' | tr '\n' ' ') || return 1
  [ -z "$jobs" ] || { echo "not complete: $jobs" && return 1; }
  sets=$(kube "$API" -n kube-system get daemonsets -o go-template='{{range .items}}{{$o := 0}}{{if .status.observedGeneration}}{{$o = .status.observedGeneration}}{{end}}{{.metadata.name}} {{.metadata.generation}} {{$o}} {{.status.desiredNumberScheduled}} {{if .status.updatedNumberScheduled}}{{.status.updatedNumberScheduled}}{{else}}0{{end}} {{if .status.numberAvailable}}{{.status.numberAvailable}}{{else}}0{{end}}{{"\n"}}{{end}}' | awk '$2 != $3 || $4 != $5 || $4 != $6 { print $1 }' | tr '\n' ' ') || return 1
  [ -z "$sets" ] || { echo "DaemonSets not rolled out: $sets" && return 1; }
}
api_ready
# A rerun while an agent is in its turn: they were settled before that turn began, and a node that is down unsettles them.
if nodes_table | awk -F'|' '$5 != "" { found = 1 } END { exit !found }'; then
  say "a node is in its turn: asked before it began"
  result settled true
  exit 0
fi
until_ok "$seconds" settled || fail "RKE2's charts are not settled after $seconds s: $LAST" "kubectl -n kube-system get jobs,daemonsets; kubectl -n kube-system logs job/<name>"
result settled true
# end of step
