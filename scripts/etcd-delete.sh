#!/usr/bin/env bash
# Deletes an etcd snapshot on this server, by its exact name: RKE2 never prunes one taken on demand.
#
# Usage: NAME   (after lib.sh)
name=$1
"$(rke2_binary)" etcd-snapshot delete "$name" </dev/null >/dev/null 2>"$STATE/etcd-delete.err" ||
  fail "the etcd snapshot $name was not deleted: $(tail -n 1 "$STATE/etcd-delete.err" | cut -c -400)" "the server must run: systemctl status rke2-server; then, as root: $(rke2_binary || echo rke2) etcd-snapshot delete $name"
# end of step
