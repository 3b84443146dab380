#!/usr/bin/env bash
# Proves that a Helm release is deployed at VERSION, that its workloads are rolled out and its conditions hold. Pods that are
# replaced only as somebody deletes them (OnDelete) may be of the release before, as helm has it, and are told.
#
# Usage: NAMESPACE NAME VERSION SECONDS [RESOURCE PATH VALUE]…
#   VERSION               of the chart
#   RESOURCE PATH VALUE   an object, a JSONPath in it, and what must stand there
# shellcheck disable=SC2317,SC2016 # healthy is called by until_ok; Go templates hold dollar signs
namespace=$1 name=$2 version=$3 seconds=$4
shift 4
conditions=("$@")

# The last revision: number, status, and helm's own record, base64 of gzipped JSON.
last_revision() {
  kube "$API" -n "$namespace" get secrets -l "owner=helm,name=$name" -o go-template='{{range .items}}{{.metadata.labels.version}} {{.metadata.labels.status}} {{.data.release | base64decode}}{{"\n"}}{{end}}' |
    sort -n | tail -n 1
}

# The chart's version in that record, on stdin: the first one after where the chart's description begins.
chart_version() {
  base64 -d | gzip -dc | grep -o '"chart":{"metadata":{.*' | grep -o '"version":"[^"]*"' | head -n 1 | cut -d '"' -f 4 || true
}

# Workloads of the release, one a line; from the third word on kind, name, generation, the observed one, pods wanted, updated,
# available, and the strategy.
workloads() {
  kube "$API" get deployments,daemonsets,statefulsets -A -o go-template='{{range .items}}{{$a := .metadata.annotations}}{{if $a}}{{$s := .status}}{{$r := "-"}}{{with index $a "meta.helm.sh/release-name"}}{{$r = .}}{{end}}{{$n := "-"}}{{with index $a "meta.helm.sh/release-namespace"}}{{$n = .}}{{end}}{{$r}} {{$n}} {{.kind}} {{.metadata.namespace}}/{{.metadata.name}} {{.metadata.generation}} {{or $s.observedGeneration 0}} {{if eq .kind "DaemonSet"}}{{or $s.desiredNumberScheduled 0}} {{or $s.updatedNumberScheduled 0}} {{or $s.numberAvailable 0}}{{else}}{{.spec.replicas}} {{or $s.updatedReplicas 0}} {{or $s.availableReplicas 0}}{{end}} {{with .spec.updateStrategy}}{{.type}}{{else}}-{{end}}{{"\n"}}{{end}}{{end}}' |
    awk -v name="$name" -v namespace="$namespace" '$1 == name && $2 == namespace'
}

# Those that are not rolled out, of what workloads says.
unfinished() { awk '$5 != $6 || ($7 != $8 && $10 != "OnDelete") || $7 != $9 { printf "%s %s: %d of %d updated, %d available; ", $3, $4, $8, $7, $9 }'; }

# Those with pods that wait for their deletion.
undeleted() { awk '$7 != $8 && $10 == "OnDelete" { printf "%s %s: %d of %d updated; ", $3, $4, $8, $7 }'; }

healthy() {
  local row status found waiting i
  row=$(last_revision) || return 1
  [ -n "$row" ] || { echo "there is no release $namespace/$name" && return 1; }
  read -r revision status row <<<"$row"
  [ "$status" = deployed ] || { echo "its revision $revision is $status" && return 1; }
  found=$(chart_version <<<"$row")
  [ "${found#v}" = "${version#v}" ] || { echo "its revision $revision has the chart's version ${found:-unknown}, wanted $version" && return 1; }
  waiting=$(workloads | unfinished) || return 1
  [ -z "$waiting" ] || { echo "not rolled out: $waiting" && return 1; }
  for ((i = 0; i < ${#conditions[@]}; i += 3)); do
    found=$(kube "$API" -n "$namespace" get "${conditions[i]}" -o "jsonpath={${conditions[i + 1]}}" 2>&1) || { echo "${conditions[i]}: $found" && return 1; }
    [ "$found" = "${conditions[i + 2]}" ] || { echo "${conditions[i]}: ${conditions[i + 1]} is ${found:-not there}, wanted ${conditions[i + 2]}" && return 1; }
  done
}

api_ready
until_ok "$seconds" healthy || fail "the operator $name is not well after $seconds s: $LAST" "kubectl -n $namespace get pods,events; helm -n $namespace history $name; mend it and run pulumi up again, or go back by hand: helm -n $namespace rollback $name"
# It is well: an API that falls silent now only keeps this from being told.
awaited=$(workloads | undeleted) || awaited=""
if [ -n "$awaited" ]; then say "pods of $name stay as they were until they are deleted (OnDelete): ${awaited%; }. Delete them as its makers say, one at a time: kubectl -n $namespace get pods"; fi
result release "$namespace/$name" chart "$version" awaitsDeletion "${awaited%; }"
# end of step
