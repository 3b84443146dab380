#!/usr/bin/env bash
# Proves from a server that NODES are back: Ready on VERSION, their leases renewed, etcd whole. Then takes our marks and
# cordons off them, never somebody else's; what went back is not patched any more. Pods are told, not judged: what ran after the snapshot is not there.
#
# Usage: CHANGE VERSION SERVERS LEASE_SECONDS SECONDS NODE…
#   LEASE_SECONDS  a lease not renewed for longer than this is stale
#   VERSION  "" = whatever they run: the change goes forward again from a way back that was broken off
# shellcheck disable=SC2317 # back is called by until_ok
change=$1 version=$2 servers=$3 lease_seconds=$4 seconds=$5
shift 5
wanted=" $* "
back() {
  local table wrong
  table=$(nodes_table) || return 1
  wrong=$(awk -F'|' -v w="$version" -v names="$wanted" 'index(names, " " $1 " ") { seen++; if ($2 != "True" || (w != "" && $3 != w)) print $1 " (Ready " $2 ", " $3 ")" } END { if (seen != split(names, n, " ")) print "nodes that the API does not know" }' <<<"$table" | tr '\n' ' ')
  [ -z "$wrong" ] || { echo "not back: $wrong" && return 1; }
  wrong=$(stale_leases "$lease_seconds" | tr ' ' '\n' | grep -Fxf <(tr ' ' '\n' <<<"$wanted") | tr '\n' ' ' || true)
  [ -z "${wrong// /}" ] || { echo "no lease renewed for over $lease_seconds s: $wrong" && return 1; }
  (etcd_healthy "$servers") 2>&1
}
until_ok "$seconds" kube "$API" get --raw /readyz || fail "after $seconds s the API server here does not answer ready: $LAST" "journalctl -u rke2-server; crictl ps -a --name kube-apiserver"
until_ok "$seconds" back || fail "after $seconds s: $LAST" "kubectl get nodes -o wide; journalctl -u rke2-server or rke2-agent on that node; mend it and run pulumi up again"
for name in "$@"; do
  if [ "$(kube "$API" get node "$name" -o jsonpath='{.metadata.annotations.rke2-upgrade/cordoned}')" = "$change" ]; then kube "$API" uncordon "$name" >/dev/null; fi
  kube "$API" annotate node "$name" rke2-upgrade/cordoned- rke2-upgrade/working- rke2-upgrade/patched- >/dev/null
done
waiting=$(kube "$API" get pods -A -o jsonpath='{range .items[*]}{.metadata.namespace}/{.metadata.name} {.status.phase} {.status.conditions[?(@.type=="Ready")].status}{"\n"}{end}' | awk '$2 != "Succeeded" && $3 != "True" { n++ } END { print n + 0 }' || echo unknown)
result nodes $# version "$version" podsNotReady "$waiting"
# end of step
