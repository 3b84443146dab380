#!/usr/bin/env bash
# Lists the objects that people and controllers keep in the cluster; changes nothing. A line each:
# KIND<TAB>NAMESPACE/NAME<TAB>CREATED<TAB>TIME… of its last writes, one for each writer, status left out.
# What another object owns is made anew by its controller, and what the cluster writes about itself is no loss.
#
# Usage: (no arguments, after lib.sh)
NOISE='^(events|endpoints|endpointslices|leases|nodes|pods|componentstatuses|controllerrevisions|csinodes|ipaddresses|volumeattachments)(\.|$)|\.metrics\.k8s\.io$'

kinds=$(kube 127.0.0.1 api-resources --verbs=list --no-headers -o name 2>/dev/null | grep -Ev "$NOISE" | paste -sd,) || true
[ -n "$kinds" ] || fail "cannot list the kinds of objects" "kubectl api-resources on this server"
# Pods that nobody owns are lost for good; the others' kind is noise.
# shellcheck disable=SC2016 # Go templates hold dollar signs
kube 127.0.0.1 get "$kinds,pods" -A --chunk-size=500 -o go-template='{{range .items}}{{if not .metadata.ownerReferences}}{{.kind}}{{"\t"}}{{with .metadata.namespace}}{{.}}/{{end}}{{.metadata.name}}{{"\t"}}{{.metadata.creationTimestamp}}{{range .metadata.managedFields}}{{if not .subresource}}{{"\t"}}{{.time}}{{end}}{{end}}{{"\n"}}{{end}}{{end}}' ||
  fail "cannot list the objects" "kubectl get --raw '/readyz?verbose' on this server"
# end of step
