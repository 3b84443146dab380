#!/usr/bin/env bash
# Counts what look-written.sh lists; changes nothing, and prints nothing of what an object holds. Lines of
#   served<TAB>KIND<TAB>[GROUP/]VERSION                each kind that can be listed
#   object<TAB>KIND<TAB>[GROUP/]VERSION<TAB>UID        each object
#   content<TAB>KIND<TAB>[GROUP/]VERSION<TAB>SHA256    what all objects of a kind hold, for kinds that seldom change
#
# Usage: (no arguments, after lib.sh and lib-objects.sh)
# These hold what people decided; all others are rewritten by controllers while the cluster lives.
CONTENT=namespaces,configmaps,secrets,services,persistentvolumes,persistentvolumeclaims,storageclasses.storage.k8s.io
CONTENT+=,customresourcedefinitions.apiextensions.k8s.io,clusterroles.rbac.authorization.k8s.io
CONTENT+=,clusterrolebindings.rbac.authorization.k8s.io,roles.rbac.authorization.k8s.io
CONTENT+=,rolebindings.rbac.authorization.k8s.io,priorityclasses.scheduling.k8s.io

kinds=$(object_kinds)
awk '{ print "served\t" $2 "\t" $3 }' <<<"$kinds"
list_objects "$(resources_of <<<"$kinds")" '{{"object\t"}}{{.kind}}{{"\t"}}{{.apiVersion}}{{"\t"}}{{.metadata.uid}}'
# Nothing of it touches a disk or leaves this machine but the sums. Annotations and status are controllers' notes.
# shellcheck disable=SC2016 # Go templates and awk hold dollar signs
list_objects "$CONTENT" '{{.kind}}{{"\t"}}{{.apiVersion}}{{"\t"}}{{.metadata.uid}} {{.metadata.namespace}}/{{.metadata.name}} {{.metadata.labels}}{{range $key, $value := .}}{{if not (or (eq $key "metadata") (eq $key "status"))}} {{$key}}={{printf "%q" (printf "%v" $value)}}{{end}}{{end}}' |
  awk -F'\t' '{ print | "sha256sum | sed \"s,^,content\t" $1 "\t" $2 "\t,; s, .*,,\"" }'
# end of step
