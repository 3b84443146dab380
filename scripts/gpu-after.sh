#!/usr/bin/env bash
# Proves that NODE offers its GPUs again and that the GPU operator's pods run (procedure §3.3.4, step 4).
#
# Usage: NODE NAMESPACE SECONDS
#   NAMESPACE  of the GPU operator. As many GPUs must be allocatable as gpu-before.sh saw, at least one.
# shellcheck disable=SC2317,SC2016 # offered is called by until_ok; Go templates hold dollar signs
node=$1 namespace=$2 seconds=$3
count=$(cat "$STATE/gpus-$node" 2>/dev/null || echo 1)
offered() {
  local allocatable waiting
  allocatable=$(kube "$API" get node "$node" -o go-template='{{with index .status.allocatable "nvidia.com/gpu"}}{{.}}{{else}}0{{end}}') || return 1
  [ "$allocatable" -ge "$count" ] || { echo "nvidia.com/gpu allocatable is $allocatable, wanted $count" && return 1; }
  waiting=$(kube "$API" -n "$namespace" get pods --field-selector "spec.nodeName=$node" -o jsonpath='{range .items[*]}{.metadata.name} {.status.phase} {.status.conditions[?(@.type=="Ready")].status}{"\n"}{end}' | awk '$2 != "Succeeded" && $3 != "True" { print $1 }' | tr '\n' ' ') || return 1
  [ -z "$waiting" ] || { echo "pods of $namespace not Ready: $waiting" && return 1; }
  [ -n "$(kube "$API" -n "$namespace" get pods --field-selector "spec.nodeName=$node" -o name)" ] || { echo "$namespace has no pod on $node" && return 1; }
}
api_ready
until_ok "$seconds" offered || fail "after $seconds s: $LAST" "kubectl -n $namespace get pods -o wide; nvidia-smi on the node; the driver must fit the kernel. $(row gpu)"
result allocatable "$count"
# end of step
