#!/usr/bin/env bash
# Puts Rancher's data back to an export, Rancher at rest: the release's older version comes after it. As Rancher's
# documentation has a rollback: Rancher scaled to zero, a Restore waited for, then helm.
#
# Usage: CHANGE NAMESPACE NAME VERSION FILE SECONDS ENCRYPTION
#   CHANGE      whose Restore it is
#   NAME        of Rancher's Deployment
#   VERSION     X.Y.Z, whose data the export holds: where the server is that already, nothing is done
#   FILE        the export's, on rancher-backup's volume
#   SECONDS     how long it may take
#   ENCRYPTION  the Secret with rancher-backup's encryption config; empty for none
# shellcheck disable=SC2016,SC2317 # Go templates hold dollar signs; restored and at_rest are called by until_ok
change=$1 namespace=$2 name=$3 version=$4 file=$5 seconds=$6 encryption=$7
restore=rke2up-$(tr '[:upper:]_' '[:lower:]-' <<<"$change")-to-$version
restart="kubectl describe restores.resources.cattle.io $restore; kubectl -n cattle-resources-system logs -l app.kubernetes.io/name=rancher-backup; mend it and run pulumi up again"

at_rest() {
  local left
  left=$(kube "$API" -n "$namespace" get pods -l "app=$name" -o name) || return 1
  [ -z "$left" ] || { echo "still there: $left" && return 1; }
}

# The Restore's state; 0 once it is completed.
restored() {
  local seen
  seen=$(kube "$API" get restores.resources.cattle.io "$restore" --ignore-not-found -o go-template='{{if .status}}{{or .status.restoreCompletionTs "-"}}|{{if .status.conditions}}{{range .status.conditions}}{{.type}}={{.status}}{{with .message}} ({{.}}){{end}}; {{end}}{{end}}{{else}}-|nobody has looked at it{{end}}') || return 2
  echo "$seen"
  [[ $seen != -* && $seen == *Ready=True* ]]
}

create() {
  local spec="\"backupFilename\":\"$file\",\"prune\":true"
  if [ -n "$encryption" ]; then spec="$spec,\"encryptionConfigSecretName\":\"$encryption\""; fi
  printf '{"apiVersion":"resources.cattle.io/v1","kind":"Restore","metadata":{"name":"%s"},"spec":{%s}}' "$restore" "$spec" |
    create_object >/dev/null || fail "the Restore $restore could not be made" "$restart"
}

api_ready
found=$(server_version)
if [ "${found#v}" != "$version" ]; then
  # Its newer version must not meet the older data: no pod of it runs from here on.
  kube "$API" -n "$namespace" scale deployment "$name" --replicas=0 >/dev/null ||
    fail "Rancher could not be scaled to zero" "kubectl -n $namespace get deployment $name"
  until_ok 120 at_rest || fail "Rancher's pods do not end: $LAST" "kubectl -n $namespace get pods; then run pulumi up again"
  code=0
  state=$(restored) || code=$?
  [ "$code" != 2 ] || fail "cannot read the Restore $restore" "see whether the API answers here, then run pulumi up again"
  # A completed one is of an earlier way back: the server has moved on since.
  if [ "$code" = 0 ]; then kube "$API" delete restores.resources.cattle.io "$restore" >/dev/null; fi
  if [ "$code" = 0 ] || [ -z "$state" ]; then create; fi
  until_ok "$seconds" restored || fail "rancher-backup has not restored $file after $seconds s: ${LAST#*|}" "$restart"
  found=$(server_version)
  [ "${found#v}" = "$version" ] || fail "$file is restored, and the server's version in it is ${found:-none}, wanted v$version" "set rancher.restore to an export of $version, or rancherVersion to ${found#v}"
  say "Rancher's data is that of $version; its pods are at rest until the release follows"
fi
result restored "$file" server "v$version"
# end of step
