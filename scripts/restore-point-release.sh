#!/usr/bin/env bash
# Lets go what restore-point.sh has left on this server: the etcd snapshot, by its exact name, and the keys beside it.
#
# Usage: CHANGE   (after lib.sh)
point=$STATE/restore-point-$1
[ -s "$point/point" ] || exit 0
path=$(cut -f1 "$point/point")
# One that was killed in between has deleted it already.
if [ -e "$path" ]; then
  "$(rke2_binary)" etcd-snapshot delete "${path##*/}" </dev/null >/dev/null 2>"$STATE/etcd-delete.err" ||
    fail "the restore test's etcd snapshot $path was not deleted: $(tail -n 1 "$STATE/etcd-delete.err" | cut -c -400)" "the server must run: systemctl status rke2-server; then run pulumi up again"
fi
rm -r "$point"
# end of step
