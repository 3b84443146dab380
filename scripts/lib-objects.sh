#!/usr/bin/env bash
# Which objects of the cluster would be lost with etcd: those that people and controllers keep there. Sent after lib.sh.

# What the cluster writes about itself, and makes anew.
NOISE='^(events|endpoints|endpointslices|leases|nodes|pods|componentstatuses|controllerrevisions|csinodes|ipaddresses|volumeattachments)[. ]|^[^ ]*\.metrics\.k8s\.io '

# The kinds of objects that can be listed, a line each: RESOURCE[.GROUP] KIND [GROUP/]VERSION.
object_kinds() {
  local kinds
  # An extension's API that is down is told by a failure, beside all others: they are listed.
  kinds=$(kube 127.0.0.1 api-resources --verbs=list --no-headers 2>/dev/null |
    awk '{ group = $(NF - 2); print $1 (sub("/.*", "", group) ? "." group : ""), $NF, $(NF - 2) }' |
    grep -Ev "$NOISE") || true
  [ -n "$kinds" ] || fail "cannot list the kinds of objects" "kubectl api-resources on this server"
  # Pods that nobody owns are lost for good; the others are noise.
  printf '%s\npods Pod v1\n' "$kinds"
}

# Prints each object by a Go template, but for those that another one owns: its controller makes them anew.
# list_objects RESOURCE,… TEMPLATE
list_objects() {
  kube 127.0.0.1 get "$1" -A --chunk-size=500 -o go-template="{{range .items}}{{if not .metadata.ownerReferences}}$2{{\"\\n\"}}{{end}}{{end}}" ||
    fail "cannot list the objects" "kubectl get --raw '/readyz?verbose' on this server"
}

# RESOURCE,… of object_kinds' lines on stdin.
resources_of() { awk '{ print $1 }' | paste -sd,; }
