#!/usr/bin/env bash
# Starts RKE2 on this node where it is down, without waiting: servers that lost their quorum need one another to come up.
# A node that is up is left alone, and so is a server that may hold an old VM snapshot's etcd data: that is refused.
#
# Usage: ATTEMPT CHANGE ROLE VERSION DIRECTION SECONDS
#   DIRECTION  back: VERSION is installed and the config put back first;
#              forward: VERSION is installed where this node's turn had begun or its binary is torn, since what it has
#              written is not for an older release
#   SECONDS    a start that has taken as long hangs
attempt=$1 change=$2 role=$3 version=$4 direction=$5 seconds=$6
unit=rke2-$role.service
begin_attempt "$change" "$attempt"
# All of etcd in plain text, where a way back was broken off before the reset that it was placed for. One that begins
# anew places it anew.
rm -rf "$STATE/restore"

service=$(systemctl is-active "$unit" || true)

# Whether RKE2 is on its way up already with the release that it is to have: to start it anew would only cost its time.
on_its_way() {
  [ "$direction" = forward ] && [ "$service" = activating ] && [ "$(running_for "$role")" -lt "$seconds" ] || return 1
  [ ! -e "$STATE/backup/$change/complete" ] || [ "$(version_on_disk || true)" = "$version" ]
}
if [ "$service" = active ] || on_its_way; then
  # What a way back had this server join by; one that is still on its way up needs it.
  if [ "$service" = active ]; then remove_join; fi
  free_service "$role"
  result started false
  exit 0
fi
if [ "$role" = server ] && rests_with_snapshot "$role"; then
  fail "RKE2 is at rest here as its VM's snapshot holds it: put back to that, its etcd data is old and must not join the others (etcd-io/etcd#13509)" \
    "if its VM was rolled back: goBack.strategy rollback (or restore), without nodes, then pulumi up; if it only rebooted while its snapshot was taken: rm $HOLD on it, then pulumi up again"
fi
hold_service "$role" "way back, attempt $attempt of $change"
timeout 90 systemctl stop "$unit" || systemctl kill -s KILL "$unit" || true
if [ "$direction" = back ]; then put_config_back "$change"; fi
if [ "$direction" = back ] || [ -e "$STATE/backup/$change/complete" ] || [ -z "$(version_on_disk || true)" ]; then
  install_release "$role" "$version"
fi
remove_join
free_service "$role"
version=$(version_on_disk)
ask_start "$role" "$version" "$seconds"
result started true version "$version"
# end of step
