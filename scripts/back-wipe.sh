#!/usr/bin/env bash
# Moves this server's etcd data aside, so that it joins the restored cluster as a new member. Local etcd snapshots
# lie in there and go along; acceptance or settling deletes it (hold-node.sh).
#
# Usage: ATTEMPT CHANGE
attempt=$1 change=$2
begin_attempt "$change" "$attempt"
if was_done wiped; then
  say "done before"
  result wiped false
  exit 0
fi
service=$(systemctl is-active rke2-server.service || true)
[ "$service" != active ] || fail "rke2-server runs, and its data is not to be taken away under it" "run pulumi up again: it is stopped first"
kill_containers
move_data_aside "$change-$attempt"
now_done wiped
result wiped true aside "$ASIDE"
# end of step
