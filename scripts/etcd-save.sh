#!/usr/bin/env bash
# Takes an etcd snapshot on this server and prints where it is. The caller streams it away and then removes it.
#
# Usage: NAME NODE   (after lib.sh)
#   NAME   the snapshot's base name; RKE2 appends the node's name and the time
#   NODE   this server's name in Kubernetes
# Prints: path<TAB>sha256<TAB>bytes
name=$1 node=$2
dir=$RKE2_DATA/server/db/snapshots
"$(rke2_binary)" etcd-snapshot save --name "$name" </dev/null >/dev/null 2>"$STATE/etcd-save.err" ||
  fail "rke2 etcd-snapshot save failed: $(tail -n 1 "$STATE/etcd-save.err" | cut -c -400)" "the server must run: systemctl status rke2-server; free disk below $dir"
mapfile -t ours < <(find "$dir" -maxdepth 1 -type f -regextype posix-extended -regex ".*/$name-${node//./\\.}-[0-9]+" -printf '%T@ %p\n' | sort -n | cut -d' ' -f2-)
((${#ours[@]})) || fail "rke2 etcd-snapshot save left no file $name-$node-* in $dir" "rke2 etcd-snapshot ls; neither etcd-snapshot-dir nor etcd-snapshot-compress may be set in RKE2's config"
path=${ours[-1]}
# What a run that was killed meanwhile has left: RKE2 never prunes one taken on demand.
for stale in "${ours[@]:0:${#ours[@]}-1}"; do "$(rke2_binary)" etcd-snapshot delete "${stale##*/}" </dev/null >/dev/null 2>&1 || true; done
printf '%s\t%s\t%s\n' "$path" "$(sha256sum "$path" | cut -d' ' -f1)" "$(stat -c %s "$path")"
# end of step
