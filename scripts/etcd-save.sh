#!/usr/bin/env bash
# Takes an etcd snapshot on this server and prints where it is. The caller streams it away and then removes it.
#
# Usage: NAME   (after lib.sh)
# Prints: path<TAB>sha256<TAB>bytes
name=$1
dir=$RKE2_DATA/server/db/snapshots
"$(rke2_binary)" etcd-snapshot save --name "$name" </dev/null >/dev/null 2>"$STATE/etcd-save.err" ||
  fail "rke2 etcd-snapshot save failed: $(tail -n 1 "$STATE/etcd-save.err" | cut -c -400)" "the server must run: systemctl status rke2-server; free disk below $dir"
# RKE2 appends the node's name and the time; the newest of this name is the one just taken.
path=$(find "$dir" -maxdepth 1 -type f -name "$name-*" -printf '%T@ %p\n' | sort -n | tail -n 1 | cut -d' ' -f2-)
[ -n "$path" ] || fail "rke2 etcd-snapshot save left no file $name-* in $dir" "rke2 etcd-snapshot ls; is another --etcd-snapshot-dir configured?"
printf '%s\t%s\t%s\n' "$path" "$(sha256sum "$path" | cut -d' ' -f1)" "$(stat -c %s "$path")"
# end of step
