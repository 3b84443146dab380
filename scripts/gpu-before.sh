#!/usr/bin/env bash
# Lists what uses NODE's GPUs before it is drained (procedure §3.3.4, step 1), so that it can be started again.
#
# Usage: NODE
# shellcheck disable=SC2016 # Go templates hold dollar signs
node=$1
api_ready
list=$(kube "$API" get pods -A --field-selector "spec.nodeName=$node,status.phase=Running" -o go-template='{{range .items}}{{$gpu := false}}{{range .spec.containers}}{{if .resources.limits}}{{if index .resources.limits "nvidia.com/gpu"}}{{$gpu = true}}{{end}}{{end}}{{end}}{{if $gpu}}{{.metadata.namespace}}/{{.metadata.name}} {{end}}{{end}}')
allocatable=$(kube "$API" get node "$node" -o go-template='{{with index .status.allocatable "nvidia.com/gpu"}}{{.}}{{else}}0{{end}}')
# The count before is what must be there after. A node in the middle of its turn may offer none: the first count stays.
if [ "$allocatable" -gt 0 ]; then echo "$allocatable" >"$STATE/gpus-$node"; fi
for pod in $list; do say "uses a GPU: $pod"; done
result allocatable "$allocatable" workloads "${list% }"
# end of step
