#!/usr/bin/env bash
# Lets RKE2 start on this node again and waits until it runs VERSION.
#
# Usage: ATTEMPT CHANGE ROLE VERSION SECONDS JOIN
#   JOIN  the address of the live server to join, whatever the config says; "" = as the config says; "none" = nobody
attempt=$1 change=$2 role=$3 version=$4 seconds=$5 join=$6
unit=rke2-$role.service
begin_attempt "$change" "$attempt"
[ "$(version_on_disk || true)" = "$version" ] || fail "$(version_on_disk || echo nothing) is installed, not $version" "run pulumi up again: the install step comes before this one"
case $join in
"") remove_join ;;
none) write_join "" ;;
*)
  write_join "https://$join:9345"
  # One that died while it joined, and was put out meanwhile: it joins anew, with no data.
  if was_done wiped && [ "$(systemctl is-active "$unit" || true)" != active ] && was_evicted "$join"; then
    say "etcd at $join has put this server out while it joined: moving its data aside once more"
    hold_service "$role" "way back, attempt $attempt of $change"
    timeout 90 systemctl stop "$unit" || systemctl kill -s KILL "$unit" || true
    kill_containers
    move_data_aside "$change-$attempt-$(date -u +%H%M%S)"
  fi
  ;;
esac
free_service "$role"
started=false
if ! runs "$role" "$version"; then
  ask_start "$role" "$version" "$seconds"
  started=true
  now_done started
  await_service "$role" "$version" "$seconds" "journalctl -u $unit -n 100; mend the cause and run pulumi up again: it goes on from here"
fi
now_done started
result started "$started" version "$version"
# end of step
