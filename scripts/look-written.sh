#!/usr/bin/env bash
# Lists the objects that people and controllers keep in the cluster; changes nothing. A line each:
# KIND<TAB>NAMESPACE/NAME<TAB>CREATED<TAB>TIME… of its last writes, one for each writer, status left out.
#
# Usage: (no arguments, after lib.sh and lib-objects.sh)
kinds=$(object_kinds)
# shellcheck disable=SC2016 # Go templates hold dollar signs
list_objects "$(resources_of <<<"$kinds")" '{{.kind}}{{"\t"}}{{with .metadata.namespace}}{{.}}/{{end}}{{.metadata.name}}{{"\t"}}{{.metadata.creationTimestamp}}{{range .metadata.managedFields}}{{if not .subresource}}{{"\t"}}{{.time}}{{end}}{{end}}'
# end of step
