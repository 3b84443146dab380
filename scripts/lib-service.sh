#!/usr/bin/env bash
# Starts RKE2's service and watches it come up. Sent after lib.sh; see envelope.sh.

# runs ROLE VERSION: the service is active and its process is that version.
runs() { [ "$(systemctl is-active "rke2-$1.service")" = active ] && [ "$(version_running "$1")" = "$2" ]; }

# Seconds since the process of ROLE's service began. running_for ROLE
running_for() {
  local began
  began=$(systemctl show --value -p ExecMainStartTimestampMonotonic "rke2-$1.service")
  echo $(($(cut -d. -f1 /proc/uptime) - ${began:-0} / 1000000))
}

# Asks the service to start on VERSION without waiting. Where it is starting on that already it is left to it, unless it has
# been at it for SECONDS: a start can hang for ever, and only another one ends that (rancher/rke2#9785).
# ask_start ROLE VERSION SECONDS: sets RESTARTS, the unit's NRestarts of before, for await_service
RESTARTS=0
ask_start() {
  local unit=rke2-$1.service took
  if [ "$(systemctl show --value -p ActiveState "$unit")" = activating ] && [ "$(version_running "$1" || true)" = "$2" ]; then
    took=$(running_for "$1")
    if [ "$took" -lt "$3" ]; then
      say "$unit is starting on $2 already: waiting for it"
      RESTARTS=$(systemctl show --value -p NRestarts "$unit")
      return 0
    fi
    say "$unit has been starting for $took s and hangs: restarting it"
  elif systemctl is-active -q "$unit"; then
    say "restarting $unit"
  else
    say "starting $unit"
  fi
  systemctl reset-failed "$unit" 2>/dev/null || true
  RESTARTS=$(systemctl show --value -p NRestarts "$unit")
  systemctl restart --no-block "$unit"
}

# Waits until the service runs VERSION. The unit is Type=notify with no start limit of its own, so it is asked without
# waiting (ask_start) and watched here; three starts that failed end the wait, since waiting longer only hides the cause.
# await_service ROLE VERSION SECONDS NEXT
await_service() {
  local unit=rke2-$1.service deadline cause
  deadline=$(($(date +%s) + $3))
  until runs "$1" "$2"; do
    if [ $(($(systemctl show --value -p NRestarts "$unit") - RESTARTS)) -ge 3 ] || [ "$(date +%s)" -ge "$deadline" ]; then
      cause=$(journalctl -u "$unit" --since "@${STARTED%?????????}" -o cat --no-pager | grep -iE 'level=fatal|level=error|panic' | tail -n 1 | cut -c -400 || true)
      fail "$unit does not come up on $2 ($(systemctl show --value -p SubState "$unit")): ${cause:-no error in its journal}" "$4"
    fi
    sleep 1
  done
}
