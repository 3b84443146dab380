#!/usr/bin/env bash
# Reads Rancher's own objects from this server; changes nothing. A line each:
#   replicas<TAB>N                          that Rancher's Deployment is to have; not where there is none
#   version<TAB>V                           what the server said of itself when it last began
#   cluster<TAB>NAME<TAB>CALLED<TAB>READY<TAB>CONNECTED   the conditions' status; - where there is none
#   resourceset<TAB>NAME                    what rancher-backup can export
#   backup-operator<TAB>N                   how many of rancher-backup's pods are ready
#   backup-volume<TAB>NODE<TAB>FOLDER<TAB>VOLUME   where it keeps its files, as lib-rancher.sh has it; not where it has no volume
# Nothing where the cluster does not know the kind.
#
# Usage: NAMESPACE NAME   of Rancher's Deployment   (after lib.sh, lib-rancher.sh)
# shellcheck disable=SC2016 # Go templates hold dollar signs
namespace=$1 name=$2
unread() { fail "cannot read Rancher's objects" "kubectl get --raw '/readyz?verbose' on this server"; }

kinds=$(kube "$API" get crd -o name) || unread
knows() { grep -qxF "customresourcedefinition.apiextensions.k8s.io/$1" <<<"$kinds"; }

replicas=$(kube "$API" -n "$namespace" get deployment "$name" --ignore-not-found -o jsonpath='{.spec.replicas}') || unread
if [ -n "$replicas" ]; then printf 'replicas\t%s\n' "$replicas"; fi
if knows settings.management.cattle.io; then
  version=$(server_version) || unread
  if [ -n "$version" ]; then printf 'version\t%s\n' "$version"; fi
fi
if knows clusters.management.cattle.io; then
  clusters=$(rancher_clusters) || unread
  if [ -n "$clusters" ]; then printf 'cluster\t%s\n' "${clusters//$'\n'/$'\n'cluster$'\t'}"; fi
fi
if knows resourcesets.resources.cattle.io; then
  kube "$API" get resourcesets.resources.cattle.io -o go-template='{{range .items}}resourceset{{"\t"}}{{.metadata.name}}{{"\n"}}{{end}}' || unread
  pods=$(kube "$API" -n cattle-resources-system get pods -l app.kubernetes.io/name=rancher-backup -o go-template='{{range .items}}{{range .status.conditions}}{{if and (eq .type "Ready") (eq .status "True")}}x{{end}}{{end}}{{end}}') || unread
  printf 'backup-operator\t%d\n' "${#pods}"
  volume=$(backup_volume) || unread
  if [ -n "$volume" ]; then printf 'backup-volume\t%s\n' "$volume"; fi
fi
# end of step
