#!/usr/bin/env bash
# Has RKE2 run again on a server that went down while it was held for its VM snapshot. The hold itself stays: the snapshot
# is still to be taken, and the step that held the server counts as done.
#
# Usage: ROLE SECONDS
role=$1 seconds=$2
unit=rke2-$role.service
if [ "$(cat "$HOLD" 2>/dev/null || true)" != snapshot ]; then
  result started false
  exit 0
fi
started=false
if ! systemctl is-active -q "$unit"; then
  say "$unit ended while it was held"
  # Off until it runs, for it may need more than one try. The file stays, and tells a rerun what is to be put back.
  lift_condition "$role"
  version=$(version_on_disk)
  ask_start "$role" "$version" "$seconds"
  await_service "$role" "$version" "$seconds" "journalctl -u $unit -n 100; mend the cause and run pulumi up again"
  started=true
fi
hold_service "$role" snapshot
result started "$started"
# end of step
