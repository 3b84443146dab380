#!/usr/bin/env bash
# What is known of a node's GPUs from before its turn, kept on the server that is asked, and what of it is back. Sent after
# lib-cluster.sh; see envelope.sh.

# Where it is kept: GPU.count, how many were allocatable; GPU.workloads, a line a pod as gpu_pods has it; GPU.pods/, manifests
# of pods that nobody starts again. keep_gpu CHANGE NODE
keep_gpu() {
  mkdir -p "$STATE/gpu/$1"
  GPU=$STATE/gpu/$1/$2
}

# Whether NODE bears CHANGE's mark: its turn has begun and is not over. marked NODE CHANGE
marked() {
  local mark
  mark=$(kube "$API" get node "$1" -o jsonpath='{.metadata.annotations.rke2-upgrade/working}') ||
    fail "cannot read node $1" "see whether the API answers here (kubectl get nodes), then run pulumi up again"
  [ "$mark" = "$2" ]
}

# How many GPUs NODE offers. gpus_of NODE
gpus_of() { kube "$API" get node "$1" -o go-template='{{with index .status.allocatable "nvidia.com/gpu"}}{{.}}{{else}}0{{end}}'; }

# Running pods of NODE that use a GPU, a line each: namespace|pod|its controller's apiVersion|kind|name. gpu_pods NODE
# shellcheck disable=SC2016 # Go templates hold dollar signs
gpu_pods() {
  kube "$API" get pods -A --field-selector "spec.nodeName=$1,status.phase=Running" -o go-template='{{range .items}}{{$gpu := false}}{{range .spec.containers}}{{if .resources.limits}}{{if index .resources.limits "nvidia.com/gpu"}}{{$gpu = true}}{{end}}{{end}}{{end}}{{if $gpu}}{{.metadata.namespace}}|{{.metadata.name}}|{{range .metadata.ownerReferences}}{{if .controller}}{{.apiVersion}}|{{.kind}}|{{.name}}{{end}}{{end}}{{"\n"}}{{end}}{{end}}'
}

# Whether a controller starts its pods again by itself: Kubernetes' own do; of any other nobody here knows. restarts APIVERSION KIND
restarts() {
  case $1/$2 in
  apps/v1/ReplicaSet | apps/v1/StatefulSet | apps/v1/DaemonSet | batch/v1/Job | v1/ReplicationController) ;;
  *) return 1 ;;
  esac
}

# Whether a controller is gone, done, failed, suspended or scaled to nothing: then no pod of it is missed.
# wants_none NAMESPACE KIND NAME
wants_none() {
  local said replicas suspend completed failed
  said=$(kube "$API" -n "$1" get "$2" "$3" --ignore-not-found -o jsonpath='there|{.spec.replicas}|{.spec.suspend}|{.status.completionTime}|{.status.conditions[?(@.type=="Failed")].status}') || return 1
  IFS='|' read -r _ replicas suspend completed failed <<<"$said"
  [ -z "$said" ] || [ "$replicas" = 0 ] || [ "$suspend" = true ] || [ -n "$completed" ] || [ "$failed" = True ]
}

# Every workload of GPU.workloads that starts by itself has as many pods that run, or have ended well, as ran here; or which
# have not, on stdout. More of it may wait: they did before, or wait for a fellow's GPU.
# shellcheck disable=SC2016 # Go templates hold dollar signs
gpu_workloads_run() {
  local pods before namespace version kind name count missing=""
  pods=$(kube "$API" get pods -A -o go-template='{{range .items}}{{$pod := .}}{{if not .metadata.deletionTimestamp}}{{range .metadata.ownerReferences}}{{if .controller}}{{$pod.metadata.namespace}}|{{.apiVersion}}|{{.kind}}|{{.name}}|{{$pod.status.phase}}{{"\n"}}{{end}}{{end}}{{end}}{{end}}') || return 1
  while IFS='|' read -r before namespace version kind name; do
    if ! restarts "$version" "$kind"; then continue; fi
    count=$(awk -F'|' -v of="$namespace|$version|$kind|$name|" 'index($0, of) == 1 { n[$5]++ } END { print n["Running"] + n["Succeeded"] "|" n["Pending"] + 0 }' <<<"$pods")
    if [ "${count%|*}" -ge "$before" ]; then continue; fi
    wants_none "$namespace" "$kind" "$name" || missing="$missing, $namespace $kind/$name (${count%|*} running, ${count#*|} pending, wanted $before)"
  done < <(cut -d'|' -f1,3- "$GPU.workloads" | sort | uniq -c | sed -E 's/^ *([0-9]+) /\1|/')
  [ -z "$missing" ] || { echo "${missing#, }" && return 1; }
}

# What starts the pods of GPU.workloads again that nobody here starts, or no longer, a line each.
left_to_people() {
  local namespace pod version kind name
  while IFS='|' read -r namespace pod version kind name; do
    if [ "$kind" = Job ] && [ "$(kube "$API" -n "$namespace" get job "$name" --ignore-not-found -o jsonpath='{.status.conditions[?(@.type=="Failed")].status}')" = True ]; then
      echo "$namespace/$pod: its Job/$name has failed: kubectl -n $namespace describe job $name"
    fi
    if restarts "$version" "$kind"; then continue; fi
    if [ -n "$kind" ]; then
      echo "$namespace/$pod: its $kind/$name decides: kubectl -n $namespace describe $kind $name"
    elif [ -s "$GPU.pods/$namespace-$pod.yaml" ]; then
      echo "$namespace/$pod: no controller starts it again: kubectl apply -f $GPU.pods/$namespace-$pod.yaml on $HERE"
    else
      echo "$namespace/$pod: no controller starts it again: kubectl apply -f the manifest that it was made from"
    fi
  done <"$GPU.workloads"
}
