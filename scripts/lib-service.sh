#!/usr/bin/env bash
# Watches RKE2's service come up. Sent after lib.sh; see envelope.sh.

# runs ROLE VERSION: the service is active and its process is that version.
runs() { [ "$(systemctl is-active "rke2-$1.service")" = active ] && [ "$(version_running "$1")" = "$2" ]; }

# Waits until the service runs VERSION. The unit is Type=notify with no start limit of its own, so it is asked without
# waiting and watched here; three starts that failed end the wait, since waiting longer only hides the cause.
# await_service ROLE VERSION SECONDS RESTARTS NEXT: RESTARTS is the unit's NRestarts before it was asked to start
await_service() {
  local unit=rke2-$1.service deadline cause
  deadline=$(($(date +%s) + $3))
  until runs "$1" "$2"; do
    if [ $(($(systemctl show -P NRestarts "$unit") - $4)) -ge 3 ] || [ "$(date +%s)" -ge "$deadline" ]; then
      cause=$(journalctl -u "$unit" --since "@${STARTED%?????????}" -o cat --no-pager | grep -iE 'level=fatal|level=error|panic' | tail -n 1 | cut -c -400 || true)
      fail "$unit does not come up on $2 ($(systemctl show -P SubState "$unit")): ${cause:-no error in its journal}" "$5"
    fi
    sleep 1
  done
}
