#!/usr/bin/env bash
# Reads Helm releases from this server; changes nothing. A line each:
# NAMESPACE/NAME<TAB>REVISION<TAB>STATUS<TAB>RECORD<TAB>REPLACED[<TAB>DEPLOYED<TAB>RECORD] of the last revision, RECORD being
# helm's own, base64 of gzipped JSON, REPLACED the last revision that was deployed and was replaced, or 0, DEPLOYED the one that
# still is where the last has failed; nothing for a release that is not there.
# helmchart<TAB>NAMESPACE/NAME<TAB>NAMESPACE/NAME of each release that helm-controller installs, and of its HelmChart.
#
# Usage: NAMESPACE/NAME…   (after lib.sh)
# shellcheck disable=SC2016 # Go templates hold dollar signs
unread() { fail "cannot read the HelmCharts" "kubectl get --raw '/readyz?verbose' on this server"; }

# A cluster without helm-controller does not know the kind.
kind=$(kube 127.0.0.1 get crd helmcharts.helm.cattle.io --ignore-not-found -o name) || unread
if [ -n "$kind" ]; then
  kube 127.0.0.1 get helmcharts.helm.cattle.io -A -o go-template='{{range .items}}{{$in := .metadata.namespace}}{{with .spec}}{{with .targetNamespace}}{{$in = .}}{{end}}{{end}}helmchart{{"\t"}}{{$in}}/{{.metadata.name}}{{"\t"}}{{.metadata.namespace}}/{{.metadata.name}}{{"\n"}}{{end}}' || unread
fi
for release in "$@"; do
  revisions=$(kube 127.0.0.1 -n "${release%%/*}" get secrets -l "owner=helm,name=${release#*/}" -o go-template='{{range .items}}{{.metadata.labels.version}}{{"\t"}}{{.metadata.labels.status}}{{"\t"}}{{.data.release | base64decode}}{{"\n"}}{{end}}') ||
    fail "cannot read the Helm releases in ${release%%/*}" "kubectl get --raw '/readyz?verbose' on this server"
  [ -n "$revisions" ] || continue
  replaced=$(awk -F'\t' '$2 == "superseded" && $1 > last { last = $1 + 0 } END { print last + 0 }' <<<"$revisions")
  last=$(sort -n <<<"$revisions" | tail -n 1)
  deployed=""
  if [ "$(cut -f2 <<<"$last")" = failed ]; then deployed=$(awk -F'\t' '$2 == "deployed" { print "\t" $1 "\t" $3 }' <<<"$revisions"); fi
  printf '%s\t%s\t%s%s\n' "$release" "$last" "$replaced" "$deployed"
done
# end of step
