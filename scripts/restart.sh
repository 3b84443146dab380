#!/usr/bin/env bash
# Restarts RKE2 on this node and waits until it runs WANTED. On a server etcd's leadership moves away first.
#
# Usage: ROLE WANTED SECONDS
# The unit is Type=notify with no start limit of its own: a plain restart can hang for ever (rancher/rke2#8269),
# so it is asked without waiting and watched here.
role=$1 wanted=$2 seconds=$3
unit=rke2-$role.service

up() {
  [ "$(systemctl is-active "$unit")" = active ] && [ "$(version_running "$role")" = "$wanted" ]
}
if up; then
  say "$unit runs $wanted"
  result restarted false
  exit 0
fi
[ "$(version_on_disk || true)" = "$wanted" ] || fail "$(version_on_disk || echo nothing) is installed, not $wanted" "have the install step run again: pulumi state taint URN, with the URN of $(hostname)-install from pulumi stack --show-urns; then pulumi up"
if [ "$role" = server ] && systemctl is-active -q "$unit"; then leader_away; fi

if [ "$(systemctl show -P ActiveState "$unit")" = activating ] && [ "$(version_running "$role" || true)" = "$wanted" ]; then
  say "$unit is starting on $wanted already: waiting for it"
  restarts=$(systemctl show -P NRestarts "$unit")
else
  say "restarting $unit"
  systemctl reset-failed "$unit" 2>/dev/null || true
  restarts=$(systemctl show -P NRestarts "$unit")
  systemctl restart --no-block "$unit"
fi
deadline=$(($(date +%s) + seconds))
until up; do
  # Three starts that failed: waiting longer only hides the cause.
  if [ $(($(systemctl show -P NRestarts "$unit") - restarts)) -ge 3 ] || [ "$(date +%s)" -ge "$deadline" ]; then
    cause=$(journalctl -u "$unit" --since "@${STARTED%?????????}" -o cat --no-pager | grep -iE 'level=fatal|level=error|panic' | tail -n 1 | cut -c -400 || true)
    fail "$unit does not come up on $wanted ($(systemctl show -P SubState "$unit")): ${cause:-no error in its journal}" \
      "journalctl -u $unit -n 100; mend the cause and run pulumi up again; the way back: docs/config.md, goBack. $(row join)"
  fi
  sleep 1
done
result restarted true
# end of step
