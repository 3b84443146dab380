#!/usr/bin/env bash
# Keeps, before NODE is drained, how many GPUs it offers and what uses them, and says what starts each of it again (procedure
# §3.3.4, step 1).
#
# Usage: NODE CHANGE
node=$1 change=$2
keep_gpu "$change" "$node"
api_ready
allocatable=$(gpus_of "$node")
# Kept once a turn: half-way through it the node is drained, and may offer none.
if marked "$node" "$change" && ! [ -e "$GPU.workloads" ]; then
  [ "$allocatable" -gt 0 ] || fail "nvidia.com/gpu allocatable on $node is 0 before its turn, wanted at least 1: what has no GPU before cannot be proven to have it after" \
    "kubectl get pods -A --field-selector spec.nodeName=$node; nvidia-smi on $node; or take gpu off it in nodes; then run pulumi up again. $(row gpu)"
  echo "$allocatable" >"$GPU.count"
  gpu_pods "$node" >"$GPU.part"
  mkdir -p "$GPU.pods"
  while IFS='|' read -r namespace pod _ kind _; do
    # What kubectl apply made it from; others have no such manifest.
    if [ -z "$kind" ]; then kube "$API" -n "$namespace" apply view-last-applied pod "$pod" >"$GPU.pods/$namespace-$pod.yaml" 2>/dev/null || true; fi
  done <"$GPU.part"
  mv "$GPU.part" "$GPU.workloads"
fi
workloads=""
if [ -e "$GPU.workloads" ]; then
  while IFS='|' read -r namespace pod version kind name; do
    workloads="$workloads $namespace/$pod"
    if restarts "$version" "$kind"; then say "uses a GPU: $namespace/$pod: its $kind/$name starts it again"; fi
  done <"$GPU.workloads"
  left_to_people | sed 's/^/uses a GPU: /'
fi
result allocatable "$allocatable" workloads "${workloads# }"
# end of step
