#!/usr/bin/env bash
# Reads Helm releases from this server; changes nothing. A line each: NAMESPACE/NAME<TAB>REVISION<TAB>STATUS<TAB>RECORD
# of the last revision, RECORD being helm's own, base64 of gzipped JSON; nothing for a release that is not there.
#
# Usage: NAMESPACE/NAME…   (after lib.sh)
for release in "$@"; do
  # shellcheck disable=SC2016 # Go templates hold dollar signs
  revisions=$(kube 127.0.0.1 -n "${release%%/*}" get secrets -l "owner=helm,name=${release#*/}" -o go-template='{{range .items}}{{.metadata.labels.version}}{{"\t"}}{{.metadata.labels.status}}{{"\t"}}{{.data.release | base64decode}}{{"\n"}}{{end}}') ||
    fail "cannot read the Helm releases in ${release%%/*}" "kubectl get --raw '/readyz?verbose' on this server"
  if [ -n "$revisions" ]; then printf '%s\t%s\n' "$release" "$(sort -n <<<"$revisions" | tail -n 1)"; fi
done
# end of step
