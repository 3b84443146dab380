#!/usr/bin/env bash
# Keeps RKE2 on this node from starting, over a reboot too, and lets it start again. Sent after lib.sh; see envelope.sh.
#
# A condition of the unit, not a mask: a unit that runs notices nothing, and one file less sets it free. A VM snapshot
# that is taken meanwhile holds that file: rolled back, the machine comes up with RKE2 at rest, since a server that
# started by itself there would bring old etcd data into a live quorum (etcd-io/etcd#13509).

HOLD=$STATE/hold
# Ours alone; removed with the hold, so that nothing of it stays. hold_dropin ROLE
hold_dropin() { echo "/etc/systemd/system/rke2-$1.service.d/50-rke2-upgrade-hold.conf"; }

# hold_service ROLE WHY
hold_service() {
  local dropin
  dropin=$(hold_dropin "$1")
  mkdir -p "${dropin%/*}"
  printf '# by rke2-upgrade: removed when this node may start RKE2 again\n[Unit]\nConditionPathExists=!%s\n' "$HOLD" >"$dropin.part"
  mv "$dropin.part" "$dropin"
  echo "$2" >"$HOLD"
  sync
  systemctl daemon-reload
}

# Whether RKE2 is at rest here under the hold that a VM snapshot is taken with. So a machine comes up that was put back to
# one, whatever clocks and task lists say of it; one that rebooted while the snapshot was taken looks the same.
# rests_with_snapshot ROLE
rests_with_snapshot() {
  [ "$(cat "$HOLD" 2>/dev/null || true)" = snapshot ] && [ -e "$(hold_dropin "$1")" ] && [ "$(systemctl is-active "rke2-$1.service" || true)" = inactive ]
}

# Lets it start though the hold's file is there. lift_condition ROLE
lift_condition() {
  local dropin
  dropin=$(hold_dropin "$1")
  if [ -e "$dropin" ]; then
    rm -f "$dropin"
    rmdir --ignore-fail-on-non-empty "${dropin%/*}"
    systemctl daemon-reload
  fi
}

# free_service ROLE
free_service() {
  rm -f "$HOLD"
  lift_condition "$1"
}
