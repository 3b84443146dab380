#!/usr/bin/env bash
# Stops RKE2 on this node and holds it there, over a reboot too, until back-start.sh lets it go.
#
# Usage: ATTEMPT CHANGE ROLE WHAT VERSION
#   WHAT     service: as procedure §4.3, containers live on, and one node at a time: a node that runs VERSION stays up,
#            and a server goes down only where the others are a quorum without it;
#            everything: etcd and the API server end as well, whatever runs
attempt=$1 change=$2 role=$3 what=$4 version=$5
unit=rke2-$role.service
begin_attempt "$change" "$attempt"
if was_done started; then
  say "this node has been started on its way back already: not stopped again"
  result stopped false
  exit 0
fi
if [ "$what" = service ]; then
  state=$(systemctl is-active "$unit" || true)
  # Starting counts: it may be waiting for a quorum, which the servers that follow bring.
  if [ "$(version_running "$role" || true)" = "$version" ] && [ "$(version_on_disk || true)" = "$version" ] && [[ $state =~ ^(active|activating)$ ]]; then
    say "$unit is $state on $version: not stopped"
    result stopped false
    exit 0
  fi
  # An etcd that does not answer here has no quorum to lose; a lone member takes its own along.
  if [ "$role" = server ] && members=$(etcd_ask /v3/cluster/member/list) && [ "$(echo "$members" | etcd_peer_urls | wc -l)" -gt 1 ]; then
    until_ok 120 others_are_a_quorum || fail "without this server etcd has no quorum: $LAST" "mend the other servers first, or pulumi config set --path 'rke2-upgrade:goBack.strategy' restore"
    leader_away
  fi
fi
# One that may hold old etcd data stays known as that, and since when, until it starts: this way back may be broken off.
rests_with_snapshot "$role" || hold_service "$role" "way back, attempt $attempt of $change"
say "stopping $unit"
timeout 90 systemctl stop "$unit" || {
  say "$unit does not stop by itself: killed"
  systemctl kill -s KILL "$unit" || true
  timeout 20 systemctl stop "$unit" || true
}
service=$(systemctl is-active "$unit" || true)
[ "$service" != active ] || fail "$unit is still $service" "systemctl status $unit on it; stop it by hand, then run pulumi up again"
if [ "$what" = everything ]; then kill_containers; fi
now_done stopped
result stopped true
# end of step
