#!/usr/bin/env bash
# Stands for rancher-backup's operator: exports and restores for real, as its Backups and Restores say, with its status
# fields, file names and layout of the archive. Of Rancher's objects it knows settings and clusters alone; it knows no
# encryption, no S3 and no schedule.
#
# Usage: [export NAME RESOURCESET FILE | restore FILE PRUNE]   without arguments: all that is asked for, until it is ended
# Environment: API the cluster's API, TOKEN of its service account, FOLDER of its volume on this node,
# KUBECTL where it is not the rehearsal's own.
# shellcheck disable=SC2016 # Go templates hold dollar signs
set -euo pipefail
: "${API:?}" "${TOKEN:?}" "${FOLDER:?}"
export HOME=/tmp
kinds=(settings.management.cattle.io clusters.management.cattle.io)
kubectl=${KUBECTL:-}
[ -n "$kubectl" ] || kubectl=$(find /usr/share/rehearsal/images/hardened-kubernetes/ -path '*/bin/kubectl' | sort -V | tail -n 1)

k() { timeout 60 "$kubectl" --server="$API" --token="$TOKEN" --insecure-skip-tls-verify --request-timeout=15s "$@"; }

now() { date -u +%FT%TZ; }

# What cannot be done is told in the status and tried again, as there. retrying KIND NAME WHY
retrying() {
  local why=${3//\\/\\\\}
  why=${why//\"/\\\"}
  k patch "$1" "$2" --subresource=status --type=merge -p "{\"status\":{\"conditions\":[{\"type\":\"Reconciling\",\"status\":\"True\",\"reason\":\"Error\",\"message\":\"${why//$'\n'/ }\",\"lastUpdateTime\":\"$(now)\"},{\"type\":\"Ready\",\"status\":\"Unknown\",\"message\":\"Retrying\",\"lastUpdateTime\":\"$(now)\"}]}}" >/dev/null
}

# export_to NAME RESOURCESET FILE: the archive.
export_to() {
  local work kind object
  work=$(mktemp -d)
  mkdir -p "$work/filters"
  k get resourcesets.resources.cattle.io "$2" -o json >"$work/filters/filters.json"
  for kind in "${kinds[@]}"; do
    mkdir -p "$work/$kind#v3"
    for object in $(k get "$kind" -o name); do
      k get "$object" -o yaml | sed -E '/^  (resourceVersion|uid|creationTimestamp|generation):/d' |
        k create --dry-run=client -o json -f - >"$work/$kind#v3/${object##*/}.json"
    done
  done
  mkdir -p "$FOLDER"
  tar -czf "$FOLDER/.part" -C "$work" .
  mv "$FOLDER/.part" "$FOLDER/$3"
  rm -rf "$work"
}

# restore_from FILE PRUNE: Rancher at rest meanwhile, its data as in the archive.
restore_from() {
  local work replicas kind object file
  work=$(mktemp -d)
  tar -xzf "$FOLDER/$1" -C "$work"
  # The one controller that the ResourceSets name.
  replicas=$(k -n cattle-system get deployment rancher -o jsonpath='{.spec.replicas}')
  k -n cattle-system scale deployment rancher --replicas=0 >/dev/null
  for kind in "${kinds[@]}"; do
    for file in "$work/$kind#v3"/*.json; do k replace -f "$file" >/dev/null 2>&1 || k create -f "$file" >/dev/null; done
    [ "$2" != false ] || continue
    for object in $(k get "$kind" -o name); do
      [ -e "$work/$kind#v3/${object##*/}.json" ] || k delete "$object" >/dev/null
    done
  done
  k -n cattle-system scale deployment rancher --replicas="$replicas" >/dev/null
  rm -rf "$work"
}

backups() {
  local name resourceset uid file why
  while read -r name resourceset; do
    uid=$(k get namespace kube-system -o jsonpath='{.metadata.uid}')
    file=$name-$uid-$(date -u +%FT%H-%M-%SZ).tar.gz
    if why=$(bash "$0" export "$name" "$resourceset" "$file" 2>&1); then
      k patch backups.resources.cattle.io "$name" --subresource=status --type=merge -p "{\"status\":{\"backupType\":\"One-time\",\"conditions\":[{\"type\":\"Ready\",\"status\":\"True\",\"message\":\"Completed\",\"lastUpdateTime\":\"$(now)\"},{\"type\":\"Uploaded\",\"status\":\"True\",\"lastUpdateTime\":\"$(now)\"}],\"filename\":\"$file\",\"lastSnapshotTs\":\"$(now)\",\"observedGeneration\":1,\"storageLocation\":\"PV\"}}" >/dev/null
    else
      retrying backups.resources.cattle.io "$name" "$why"
    fi
  done < <(k get backups.resources.cattle.io -o go-template='{{range .items}}{{$done := ""}}{{with .status}}{{with .lastSnapshotTs}}{{$done = .}}{{end}}{{end}}{{if not $done}}{{.metadata.name}} {{.spec.resourceSetName}}{{"\n"}}{{end}}{{end}}')
}

restores() {
  local name file prune why
  while read -r name file prune; do
    if why=$(bash "$0" restore "$file" "$prune" 2>&1); then
      k patch restores.resources.cattle.io "$name" --subresource=status --type=merge -p "{\"status\":{\"backupSource\":\"PV\",\"conditions\":[{\"type\":\"Ready\",\"status\":\"True\",\"message\":\"Completed\",\"lastUpdateTime\":\"$(now)\"}],\"observedGeneration\":1,\"restoreCompletionTs\":\"$(now)\"}}" >/dev/null
    else
      retrying restores.resources.cattle.io "$name" "$why"
    fi
  done < <(k get restores.resources.cattle.io -o go-template='{{range .items}}{{$done := ""}}{{with .status}}{{with .restoreCompletionTs}}{{$done = .}}{{end}}{{end}}{{if not $done}}{{.metadata.name}} {{.spec.backupFilename}} {{.spec.prune}}{{"\n"}}{{end}}{{end}}')
}

# Each in a process of its own, which ends at the first command that fails.
case ${1:-} in
export)
  export_to "${@:2}"
  exit
  ;;
restore)
  restore_from "${@:2}"
  exit
  ;;
esac

echo "stands for rancher-backup; its volume is $FOLDER"
while :; do
  # An API server that restarts ends no operator.
  backups || true
  restores || true
  sleep 2
done
