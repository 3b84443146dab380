#!/usr/bin/env bash
# Restarts RKE2 on this node and waits until it runs WANTED. On a server etcd's leadership moves away first.
#
# Usage: ROLE WANTED SECONDS HINT
#   HINT  what is said of the way back where it does not come up
# A plain restart can hang for ever (rancher/rke2#8269): it is asked without waiting and watched.
role=$1 wanted=$2 seconds=$3 hint=$4
unit=rke2-$role.service

if runs "$role" "$wanted"; then
  say "$unit runs $wanted"
  result restarted false
  exit 0
fi
[ "$(version_on_disk || true)" = "$wanted" ] || fail "$(version_on_disk || echo nothing) is installed, not $wanted" "have the install step run again: pulumi state taint URN, with the URN of $HERE-install from pulumi stack --show-urns; then pulumi up"
# A way back that was broken off may have left it held.
free_service "$role"
if [ "$role" = server ] && systemctl is-active -q "$unit"; then leader_away; fi

ask_start "$role" "$wanted" "$seconds"
await_service "$role" "$wanted" "$seconds" "journalctl -u $unit -n 100; mend the cause and run pulumi up again; $hint. $(row join)"
result restarted true
# end of step
