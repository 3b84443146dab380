#!/usr/bin/env bash
# Leaves on this server what its VM's snapshot is tested by: an etcd snapshot, and the keys that stood in etcd before it
# and after, unchanged. The VM snapshot that follows contains both; the restore test (restore-check.sh) compares them.
# Never taken anew within a change: it would not be in the VM snapshot. Acceptance removes it.
#
# Usage: CHANGE NODE
# Result: revision (etcd's, before the snapshot), keys (how many stood still), bytes
change=$1 node=$2
point=$STATE/restore-point-$change
name=rke2point-$change

if [ -s "$point/point" ] && [ -s "$(cut -f1 "$point/point")" ]; then
  say "the restore point of $change is here already"
  result already true
  exit 0
fi
work=$(mktemp -d "$STATE/restore-point.XXXXXXXX")
trap 'rm -rf "$work"' EXIT

etcd_keys >"$work/before" || fail "etcd does not list its keys" "curl http://127.0.0.1:2381/health here; crictl ps -a --name etcd"
revision=$(etcd_ask /v3/maintenance/status | json_value revision)
"$(rke2_binary)" etcd-snapshot save --name "$name" >/dev/null 2>"$work/err" ||
  fail "rke2 etcd-snapshot save failed: $(tail -n 1 "$work/err" | cut -c -400)" "the server must run: systemctl status rke2-server; free disk below $RKE2_DATA/server/db/snapshots"
etcd_keys >"$work/after" || fail "etcd does not list its keys" "curl http://127.0.0.1:2381/health here; crictl ps -a --name etcd"

mapfile -t ours < <(find "$RKE2_DATA/server/db/snapshots" -maxdepth 1 -type f -regextype posix-extended -regex ".*/$name-${node//./\\.}-[0-9]+" -printf '%T@ %p\n' | sort -n | cut -d' ' -f2-)
((${#ours[@]})) || fail "rke2 etcd-snapshot save left no file $name-$node-*" "neither etcd-snapshot-dir nor etcd-snapshot-compress may be set in RKE2's config"
path=${ours[-1]}
# What a run that was killed meanwhile has left.
for stale in "${ours[@]:0:${#ours[@]}-1}"; do "$(rke2_binary)" etcd-snapshot delete "${stale##*/}" >/dev/null 2>&1 || true; done

# What is in both with the same revision was in the snapshot between them, just so.
comm -12 "$work/before" "$work/after" >"$work/keys"
rm "$work/before" "$work/after" "$work/err"
printf '%s\t%s\t%s\n' "$path" "$(sha256sum "$path" | cut -d' ' -f1)" "$revision" >"$work/point"
rm -rf "$point"
mv -T "$work" "$point"
sync -f "$point/point"
result revision "$revision" keys "$(wc -l <"$point/keys")" bytes "$(stat -c %s "$path")"
# end of step
