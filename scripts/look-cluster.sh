#!/usr/bin/env bash
# Reads the cluster from this server; changes nothing. Lines of name<TAB>JSON, then readyMs=…, each request bounded.
#
# Usage: [CRITICAL]   (after lib.sh)
#   CRITICAL  label selector of critical workloads, URL-encoded
started=$(date +%s%N)
kube 127.0.0.1 get --raw /readyz >/dev/null || fail "the API server here does not answer ready" "kubectl get --raw '/readyz?verbose' on this server"
printf 'nowMs\t%s\n' "$(date +%s%3N)"
printf 'readyMs\t%s\n' "$((($(date +%s%N) - started) / 1000000))"
# What cannot be read is no empty list.
raw() {
  local said
  said=$(kube 127.0.0.1 get --raw "$2") || fail "cannot read $2" "kubectl get --raw $2 on this server"
  printf '%s\t%s\n' "$1" "$said"
}
raw nodes /api/v1/nodes
raw pods /api/v1/pods
raw budgets /apis/policy/v1/poddisruptionbudgets
if [ -n "${1:-}" ]; then
  raw critical "/api/v1/pods?labelSelector=$1&fieldSelector=status.phase%3DRunning"
fi
raw leases /apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases
lock=$(kube 127.0.0.1 -n kube-system get lease rke2-upgrade --ignore-not-found -o jsonpath='{.spec}') ||
  fail "cannot read the Lease kube-system/rke2-upgrade" "kubectl -n kube-system get leases on this server"
printf 'lock\t%s\n' "$lock"
members=$(etcd_ask /v3/cluster/member/list || true)
printf 'members\t%s\n' "$members"
printf 'etcd\t%s\n' "$(etcd_ask /v3/maintenance/status || true)"
printf 'alarms\t%s\n' "$(etcd_ask /v3/maintenance/alarm '{"action":"GET"}' || true)"
for url in $(echo "$members" | etcd_peer_urls); do
  printf 'member %s\t%s\n' "$url" "$(etcd_peer_version "$url" || true)"
done
# end of step
