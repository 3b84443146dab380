#!/usr/bin/env bash
# Reads the cluster from this server; changes nothing. Lines of name<TAB>JSON, each request bounded.
#
# Usage: [CRITICAL]   (after lib.sh and lib-api.sh)
#   CRITICAL  label selector of critical workloads, URL-encoded

# raw NAME PATH [optional]: what cannot be read is no empty list; a kind that the cluster does not know may be.
raw() {
  local said code
  said=$(api "$2") || fail "cannot read $2: $(tail -n 1 <<<"$said" | cut -c -200)" "kubectl get --raw '$2' on this server"
  code=${said##*$'\n'}
  if [ "$code" = 404 ] && [ "${3:-}" = optional ]; then return; fi
  [ "$code" = 200 ] || fail "cannot read $2: HTTP $code" "kubectl get --raw '$2' on this server"
  printf '%s\t%s\n' "$1" "${said%$'\n'*}"
}

said=$(api /readyz -o /dev/null -w '%{time_total}\n%{http_code}') || true
[ "${said##*$'\n'}" = 200 ] || fail "the API server here does not answer ready (${said//$'\n'/ })" "kubectl get --raw '/readyz?verbose' on this server"
printf 'nowMs\t%s\n' "$(date +%s%3N)"
printf 'readyMs\t%s\n' "$(awk 'NR == 1 { printf "%d", $1 * 1000 }' <<<"$said")"
raw nodes /api/v1/nodes
raw pods /api/v1/pods
raw budgets /apis/policy/v1/poddisruptionbudgets
if [ -n "${1:-}" ]; then
  raw critical "/api/v1/pods?labelSelector=$1&fieldSelector=status.phase%3DRunning"
fi
raw leases /apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases
raw lock /apis/coordination.k8s.io/v1/namespaces/kube-system/leases/rke2-upgrade optional
raw requests /apis/certificates.k8s.io/v1/certificatesigningrequests
raw charts /apis/batch/v1/namespaces/kube-system/jobs
raw volumes /api/v1/persistentvolumes
raw attachments /apis/storage.k8s.io/v1/volumeattachments
raw plans /apis/upgrade.cattle.io/v1/plans optional
raw longhorn /apis/longhorn.io/v1beta2/volumes optional
members=$(etcd_ask /v3/cluster/member/list || true)
printf 'members\t%s\n' "$members"
printf 'etcd\t%s\n' "$(etcd_ask /v3/maintenance/status || true)"
printf 'alarms\t%s\n' "$(etcd_ask /v3/maintenance/alarm '{"action":"GET"}' || true)"
for url in $(echo "$members" | etcd_peer_urls); do
  printf 'member %s\t%s\n' "$url" "$(etcd_peer_version "$url" || true)"
done
# end of step
