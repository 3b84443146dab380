#!/usr/bin/env bash
# etcd as this server's own member knows it. Sent after lib.sh.

# Prints etcdStatus, etcdMembers, etcdAlarms and for each member "etcdMember URL", each with its answer on a line; one that
# gave none has nothing after SEPARATOR. Alarms are asked through the quorum, so a slow one may not answer. Bounded: with
# two members and the quorum silent it takes eight seconds. etcd_view SEPARATOR
etcd_view() {
  local members url
  # shellcheck disable=SC2034 # etcd_ask and etcd_peer_version read it
  local ETCD_SECONDS=2
  members=$(etcd_ask /v3/cluster/member/list || true)
  printf 'etcdMembers%s%s\n' "$1" "$members"
  printf 'etcdStatus%s%s\n' "$1" "$(etcd_ask /v3/maintenance/status || true)"
  printf 'etcdAlarms%s%s\n' "$1" "$(etcd_ask /v3/maintenance/alarm '{"action":"GET"}' || true)"
  for url in $(etcd_peer_urls <<<"$members" || true); do
    printf 'etcdMember %s%s%s\n' "$url" "$1" "$(etcd_peer_version "$url" || true)"
  done
}
