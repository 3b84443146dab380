#!/usr/bin/env bash
# Puts Rancher's data back to an export, Rancher at rest: the release's older version comes after it. As Rancher's
# documentation has a rollback: Rancher scaled to zero, a Restore waited for, then helm.
#
# Usage: CHANGE NAMESPACE NAME VERSION FILE SECONDS ENCRYPTION
#   CHANGE      whose Restore it is
#   NAME        of Rancher's Deployment
#   VERSION     X.Y.Z, whose data the export holds: where the server is that already, and no Restore of ours is under way,
#               nothing is done
#   FILE        the export's, on rancher-backup's volume
#   SECONDS     how long it may take
#   ENCRYPTION  the Secret with rancher-backup's encryption config; empty for none
# Leaves in $STATE/rancher-replicas how many replicas Rancher had before it was scaled to zero.
# shellcheck disable=SC2016,SC2317 # Go templates hold dollar signs; restored and at_rest are called by until_ok
change=$1 namespace=$2 name=$3 version=$4 file=$5 seconds=$6 encryption=$7
restore=rke2up-$(tr '[:upper:]_' '[:lower:]-' <<<"$change")-to-$version
restart="kubectl describe restores.resources.cattle.io $restore; kubectl -n cattle-resources-system logs -l app.kubernetes.io/name=rancher-backup; mend it and run pulumi up again"
kept=$STATE/rancher-replicas

# How many replicas Rancher has, or had before it was put at rest. Nothing without a Deployment.
replicas() {
  local now
  now=$(kube "$API" -n "$namespace" get deployment "$name" --ignore-not-found -o jsonpath='{.spec.replicas}') || return 1
  # Its chart's own number (values.yaml), where nobody kept one.
  if [ "$now" = 0 ]; then now=$(grep . "$kept" 2>/dev/null) || now=3; fi
  echo "$now"
}

# Ends the step where Rancher may be at rest. stop WHAT NEXT
stop() {
  fail "$1" "$2. Rancher may be at rest. To give its way back up: kubectl delete restores.resources.cattle.io $restore --ignore-not-found; kubectl -n $namespace scale deployment $name --replicas=$count; then rancherVersion as it was, and pulumi config rm --path rke2-upgrade:rancher.restore"
}

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
    create_object >/dev/null || stop "the Restore $restore could not be made" "$restart"
}

api_ready
unread="see whether the API answers here, and rancher-backup is installed (kubectl get crd restores.resources.cattle.io), then run pulumi up again"
count=$(replicas) || fail "cannot read the Deployment $namespace/$name" "$unread"
found=$(server_version) || stop "cannot read Rancher's version" "$unread"
code=0
progress=$(restored) || code=$?
[ "$code" != 2 ] || stop "cannot read the Restore $restore" "$unread"
# The version is among the first things that a Restore writes: one that is not completed has more to write.
if [ "${found#v}" != "$version" ] || { [ -n "$progress" ] && [ "$code" != 0 ]; }; then
  mkdir -p "$STATE"
  printf '%s\n' "$count" >"$kept.part"
  mv "$kept.part" "$kept"
  # Its newer version must not meet the older data: no pod of it runs from here on.
  kube "$API" -n "$namespace" scale deployment "$name" --replicas=0 >/dev/null ||
    stop "Rancher could not be scaled to zero" "kubectl -n $namespace get deployment $name"
  until_ok 120 at_rest || stop "Rancher's pods do not end: $LAST" "kubectl -n $namespace get pods; then run pulumi up again"
  there=$(kube "$API" get restores.resources.cattle.io "$restore" --ignore-not-found -o go-template='{{.spec.backupFilename}} {{or .spec.encryptionConfigSecretName ""}}') ||
    stop "cannot read the Restore $restore" "$unread"
  # A completed one is of an earlier way back: the server has moved on since. One of another file was asked for before
  # rancher.restore was corrected.
  if [ -n "$there" ] && { [ "$code" = 0 ] || [ "$there" != "$file $encryption" ]; }; then
    kube "$API" delete restores.resources.cattle.io "$restore" --ignore-not-found >/dev/null ||
      stop "the Restore $restore could not be deleted" "kubectl get restores.resources.cattle.io $restore; then run pulumi up again"
    there=
  fi
  if [ -z "$there" ]; then create; fi
  until_ok "$seconds" restored || stop "rancher-backup has not restored $file after $seconds s: ${LAST#*|}" "$restart"
  found=$(server_version) || stop "cannot read Rancher's version" "$unread"
  [ "${found#v}" = "$version" ] || stop "$file is restored, and the server's version in it is ${found:-none}, wanted v$version" "set rancher.restore to an export of $version, or rancherVersion to ${found#v}"
  say "Rancher's data is that of $version; its pods are at rest until the release follows"
fi
result restored "$file" server "v$version"
# end of step
