#!/usr/bin/env bash
# Makes this server the only member of a new etcd cluster, from the snapshot that was placed here. What it held
# is moved aside by RKE2 itself (server/db/etcd-old-…).
#
# Usage: ATTEMPT CHANGE SECONDS
attempt=$1 change=$2 seconds=$3
begin_attempt "$change" "$attempt"
file=$STATE/restore/etcd-snapshot
if was_done reset; then
  say "done before"
  result reset false
  exit 0
fi
service=$(systemctl is-active rke2-server.service || true)
[ "$service" != active ] || fail "rke2-server runs, and its etcd is not to be reset under it" "run pulumi up again: it is stopped first; if it is not: systemctl stop rke2-server"
(cd "$STATE/restore" && sha256sum -c --status etcd-snapshot.sha256) 2>/dev/null ||
  fail "the snapshot $file is missing or damaged" "run pulumi up again: it is placed anew"
now_done resetting
kill_containers
# A flag left over from an earlier reset refuses another one.
rm -f "$RKE2_DATA/server/db/reset-flag"
write_join ""
options=(--cluster-reset "--cluster-reset-restore-path=$file")
mapfile -t configs < <(config_files)
if grep -q '^etcd-s3:' "${configs[@]}" </dev/null; then options+=(--etcd-s3=false); fi
say "restoring etcd from the snapshot"
code=0
(
  unit_environment server
  exec timeout "$seconds" "$(rke2_binary)" server "${options[@]}" </dev/null
) >"$STATE/reset.log" 2>&1 || code=$?
if [ "$code" -ne 0 ] || ! grep -q "membership has been reset" "$STATE/reset.log"; then
  fail "rke2 server --cluster-reset ended with $code: $(grep -iE 'level=fatal|level=error|panic' "$STATE/reset.log" | tail -n 1 | cut -c -400)" \
    "read $STATE/reset.log on it; mend the cause and run pulumi up again: the reset is done over, from the same snapshot"
fi
now_done reset
result reset true
# end of step
