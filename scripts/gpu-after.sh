#!/usr/bin/env bash
# Proves that NODE offers its GPUs again, that the GPU operator's pods run there and its ClusterPolicy is ready (procedure
# §3.3.4, step 4), and that a job which uses a GPU completes there, where one is asked for: then NODE is still cordoned and
# drained, its GPUs are free.
#
# Usage: NODE NAMESPACE SECONDS CHANGE WATCH [JOB_NAMESPACE JOB JOB_SECONDS MANIFEST]
#   NAMESPACE  of the GPU operator. As many GPUs must be allocatable as gpu-before.sh saw in CHANGE, at least one.
#   WATCH      seconds that it must stay so: right after a release it may still be so from before
#   JOB        the job's name, as in MANIFEST (components/gpuJob.ts), and how long it may take, its image's pull included
# shellcheck disable=SC2317 # offered is called by steadily
node=$1 namespace=$2 seconds=$3 change=$4 watch=$5
shift 5
keep_gpu "$change" "$node"
count=$(cat "$GPU.count" 2>/dev/null || echo 1)

# ClusterPolicies (nvidia.com/v1) that are not ready: "ignored" are second ones, "disabled" have nothing to do.
policies_not_ready() {
  local known
  known=$(kube "$API" get crd clusterpolicies.nvidia.com --ignore-not-found -o name) || return 1
  [ -n "$known" ] || return 0
  kube "$API" get clusterpolicies.nvidia.com -o jsonpath='{range .items[*]}{.metadata.name}|{.status.state}{"\n"}{end}' |
    awk -F'|' '$1 != "" && $2 !~ /^(ready|ignored|disabled)$/ { print $1 " is " ($2 ? $2 : "without a state") }' | tr '\n' ' '
}

# Whether another node is in its turn as well: the policy is the cluster's, and waits for that one too.
fellow_in_turn() {
  nodes_table | awk -F'|' -v node="$node" -v change="$change" '$1 != node && $5 == change { found = 1 } END { exit !found }'
}

offered() {
  local allocatable waiting
  allocatable=$(gpus_of "$node") || return 1
  [ "$allocatable" -ge "$count" ] || { echo "nvidia.com/gpu allocatable on $node is $allocatable, wanted $count" && return 1; }
  waiting=$(kube "$API" -n "$namespace" get pods --field-selector "spec.nodeName=$node" -o jsonpath='{range .items[*]}{.metadata.name} {.status.phase} {.status.conditions[?(@.type=="Ready")].status}{"\n"}{end}' | awk '$2 != "Succeeded" && $3 != "True" { print $1 }' | tr '\n' ' ') || return 1
  [ -z "$waiting" ] || { echo "pods of $namespace not Ready on $node: $waiting" && return 1; }
  [ -n "$(kube "$API" -n "$namespace" get pods --field-selector "spec.nodeName=$node" -o name)" ] || { echo "$namespace has no pod on $node" && return 1; }
  waiting=$(policies_not_ready) || { echo "cannot read the ClusterPolicies" && return 1; }
  [ -z "$waiting" ] || fellow_in_turn || { echo "ClusterPolicy ${waiting% }, wanted ready" && return 1; }
}
api_ready
steadily "$seconds" "$watch" offered || fail "after $seconds s: $LAST" "kubectl -n $namespace get pods -o wide; kubectl get clusterpolicies.nvidia.com; nvidia-smi on $node: its driver must fit its kernel, $(kube "$API" get node "$node" -o jsonpath='{.status.nodeInfo.kernelVersion}' || true); mend it and run pulumi up again. $(row gpu)"
tested=false
if [ $# -gt 0 ] && marked "$node" "$change"; then
  say "running job $1/$2 on a GPU of $node"
  run_job "$1" "$2" "$3" "$change" "$4" "nvidia-smi on $node; or see gpuTest in the stack's config; then run pulumi up again. $(row gpu)"
  tested=true
fi
result allocatable "$count" tested "$tested"
# end of step
