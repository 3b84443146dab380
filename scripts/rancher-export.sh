#!/usr/bin/env bash
# Has rancher-backup export Rancher's objects, waits until it has, and prints where the file is. The Backup and its file
# stay: a Restore reads it from there. One that is on its way already is waited for; a completed one is made anew, and its
# file stays as well.
#
# Usage: PREFIX RESOURCESET SECONDS ENCRYPTION   (after lib.sh, lib-rancher.sh)
#   PREFIX       of the Backup's name; the version of Rancher's server follows
#   RESOURCESET  what is exported
#   SECONDS      how long it may take
#   ENCRYPTION   the Secret with rancher-backup's encryption config; empty for none
# Prints: file<TAB>node<TAB>path there<TAB>version of Rancher's server; nothing where no Rancher has run yet
# shellcheck disable=SC2016,SC2317 # Go templates hold dollar signs; exported is called by until_ok
prefix=$1 resourceset=$2 seconds=$3 encryption=$4
silent() { fail "cannot read $1" "kubectl get --raw '/readyz?verbose' on this server; then run pulumi up again"; }

kinds=$(kube "$API" get crd -o name) || silent "the cluster's kinds"
# What is only now installed has nothing to export.
[[ $kinds == */settings.management.cattle.io* ]] || exit 0
version=$(server_version) || silent "Rancher's version"
[ -n "$version" ] || exit 0
[[ $kinds == */backups.resources.cattle.io* ]] ||
  fail "rancher-backup is not installed: there is no kind Backup" "install its chart (rancher-backup) in the cluster that Rancher runs in, or set rancher.backup.enabled: false"
name=$prefix-${version#v}
restart="kubectl describe backups.resources.cattle.io $name; kubectl -n cattle-resources-system logs -l app.kubernetes.io/name=rancher-backup; mend it and run pulumi up again. To do without: rancher.backup.enabled: false"

conditions='{{range .status.conditions}}{{.type}}={{.status}}{{with .message}} ({{.}}){{end}}; {{end}}'
exported() {
  local seen
  seen=$(kube "$API" get backups.resources.cattle.io "$name" -o go-template='{{if .status}}{{or .status.filename "-"}}|{{or .status.lastSnapshotTs "-"}}|{{or .status.storageLocation "-"}}|{{if .status.conditions}}'"$conditions"'{{end}}{{else}}-|-|-|nobody has looked at it{{end}}') || return 1
  echo "$seen"
  [[ $seen != -* ]] && [[ $seen != *'|-|'* ]] && [[ $seen == *Ready=True* ]]
}
asked_for="$resourceset $encryption"
there=$(kube "$API" get backups.resources.cattle.io "$name" --ignore-not-found -o go-template='{{.spec.resourceSetName}} {{or .spec.encryptionConfigSecretName ""}}') || silent "the Backup $name"
if [ -n "$there" ] && { [ "$there" != "$asked_for" ] || exported >/dev/null; }; then
  kube "$API" delete backups.resources.cattle.io "$name" >/dev/null
  there=
fi
if [ -z "$there" ]; then
  spec="\"resourceSetName\":\"$resourceset\""
  if [ -n "$encryption" ]; then spec="$spec,\"encryptionConfigSecretName\":\"$encryption\""; fi
  printf '{"apiVersion":"resources.cattle.io/v1","kind":"Backup","metadata":{"name":"%s"},"spec":{%s}}' "$name" "$spec" |
    create_object >/dev/null || fail "the Backup $name could not be made" "$restart"
fi
until_ok "$seconds" exported || fail "rancher-backup has not completed $name after $seconds s: ${LAST##*|}" "$restart"
IFS='|' read -r file _ location _ <<<"$LAST"
[ "$location" = PV ] || fail "rancher-backup keeps its files in $location, and this program fetches them from a persistent volume only" "set rancher.backup.enabled: false: $file is out of the cluster already"

where=$(backup_volume) || silent "where rancher-backup keeps its files"
IFS=$'\t' read -r node directory volume <<<"$where"
[ -n "$node" ] || fail "no running pod of rancher-backup has a persistent volume" "kubectl -n cattle-resources-system get pods,pvc; then run pulumi up again"
[ "$directory" != - ] || fail "rancher-backup's volume $volume is no folder of a node (no hostPath, local, CSI or NFS): its files cannot be fetched over SSH" "fetch $file by hand, and set rancher.backup.enabled: false"
printf '%s\t%s\t%s\t%s\n' "$file" "$node" "${directory%/}/$file" "$version"
# end of step
