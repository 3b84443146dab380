#!/usr/bin/env bash
# Restores an etcd snapshot as going back would do it, and says whether what comes up is what was saved. Run through the
# guest agent in a clone of a server's VM snapshot whose network cable is out; the clone is destroyed afterwards.
#
# Usage: CHANGE VERSION ADDRESS START_SECONDS   (after lib.sh, lib-keys.sh, lib-hold.sh)
#   VERSION   the RKE2 release that must be installed here
#   ADDRESS   the node's own: RKE2 needs it on a card, and a card without carrier may lose it
# Result: version, etcdBytes, sha256, revision, keys, unchanged, written, missing, restoreSeconds, startSeconds
change=$1 version=$2 address=$3 start_seconds=$4
point=$STATE/restore-point-$change
mapfile -t configs < <(config_files)

# The disk.
for file in "$RKE2_DATA/server/token" "$RKE2_DATA/server/tls/etcd/server-ca.crt" \
  "$RKE2_DATA/server/db/etcd/member/snap/db" "$point/point" "$point/keys"; do
  [ -s "$file" ] || fail "$file is missing or empty in the VM snapshot" "the snapshot is no way back: look at the server's disk and its backup"
done
installed=$(version_on_disk)
[ "$installed" = "$version" ] || fail "RKE2 ${installed:-unreadable} is installed in the VM snapshot, wanted $version" "the snapshot is not of this change: delete it in Proxmox VE, then run pulumi up again"
etcd_bytes=$(stat -c %s "$RKE2_DATA/server/db/etcd/member/snap/db")
IFS=$'\t' read -r snapshot sha256 revision <"$point/point"

# The etcd snapshot: the bytes that were saved, and etcd's own sum at their end.
[ -s "$snapshot" ] || fail "$snapshot is missing or empty in the VM snapshot" "the snapshot is no way back: look at the server's disk"
found=$(sha256sum "$snapshot" | cut -d' ' -f1)
[ "$found" = "$sha256" ] || fail "$snapshot has sha256 $found in the VM snapshot, $sha256 when it was saved" "the storage under this VM changes data: do not go on"
sum=$(tail -c 32 "$snapshot" | od -An -v -tx1 | tr -d ' \n')
own=$(head -c -32 "$snapshot" | sha256sum | cut -d' ' -f1)
[ "$sum" = "$own" ] || fail "$snapshot does not end in the SHA-256 of what is before it" "etcd-snapshot-compress must not be set in RKE2's config; else the snapshot is broken"

# The restore. What booted by itself looks for members that it cannot reach: it is ended first.
timeout 60 systemctl stop --no-block rke2-server.service || true
killall_script=$(dirname "$(rke2_binary)")/rke2-killall.sh
timeout 120 "$killall_script" >/dev/null 2>&1 || true
if ! ip -o -4 address show | grep -qF " $address/" || [ -z "$(ip route show default)" ]; then
  # RKE2's documentation on nodes without a default route: a dummy interface will suffice.
  ip link add rke2test0 type dummy && ip link set rke2test0 up
  ip address add "$address/24" dev rke2test0
  ip route add default dev rke2test0 metric 1000 2>/dev/null || true
fi
# A reset refuses where another server is to be joined.
for file in "${configs[@]}"; do sed -i '/^server:/d' "$file"; done
! grep -q '^server:' "${configs[@]}" </dev/null || fail "the clone's config still names a server to join" "write server: on a line of its own in /etc/rancher/rke2"
rm -f "$RKE2_DATA/server/db/reset-flag"
# RKE2 may have been about to start when it was told to stop.
stopped() { [ "$(systemctl show --value -p MainPID rke2-server.service)" = 0 ]; }
until_ok 60 stopped || fail "rke2-server does not stop in the clone" "try the restore test again"
# Where S3 is configured, the path would be a key there.
local_only=()
if grep -q '^etcd-s3:' "${configs[@]}" </dev/null; then local_only=(--etcd-s3=false); fi
before=$(date +%s)
# Its environment is for it alone: a proxy of it is none for the questions after.
(
  unit_environment server
  unset RKE2_URL
  exec timeout "$start_seconds" "$(rke2_binary)" server --cluster-reset --cluster-reset-restore-path="$snapshot" "${local_only[@]}" </dev/null
) >"$STATE/restore.log" 2>&1 || fail "rke2 server --cluster-reset failed: $(tail -n 3 "$STATE/restore.log" | cut -c -600)" "this snapshot cannot be restored: take another etcd snapshot before anything is changed"
restored=$(date +%s)
# The snapshot was taken with RKE2 held at rest.
free_service server
systemctl start --no-block rke2-server.service
until_ok "$start_seconds" etcd_keys || fail "etcd does not come up from the restored data in $start_seconds s: $(journalctl -u rke2-server -n 3 --no-pager -o cat | cut -c -600)" "this snapshot cannot be restored: take another etcd snapshot before anything is changed"
etcd_keys >"$STATE/keys-now"
until_ok "$start_seconds" kube 127.0.0.1 get --raw /readyz || fail "the API server does not come up from the restored data in $start_seconds s: $LAST" "this snapshot cannot be restored: take another etcd snapshot before anything is changed"
ready=$(date +%s)

# The data: each key that stood still while it was saved is there as it was, or was written since by the control plane
# that has just started; a few may be gone by its own housekeeping. Older than saved is none.
read -r keys unchanged written older missing < <(awk '
  NR == FNR { saved[$1] = $2; n++; next }
  $1 in saved { seen++; if ($2 == saved[$1]) same++; else if ($2 > saved[$1]) newer++; else older++ }
  END { print n + 0, same + 0, newer + 0, older + 0, n - seen }' "$point/keys" "$STATE/keys-now")
if [ "$keys" -eq 0 ] || [ "$older" -gt 0 ] || [ $((missing * 100)) -gt "$keys" ] || [ $((unchanged * 2)) -lt "$keys" ]; then
  fail "of $keys keys that were saved, the restored etcd has $unchanged unchanged, $written written since, $older older, $missing missing" "do not go on: the etcd snapshot does not hold what etcd held"
fi
result version "$installed" etcdBytes "$etcd_bytes" sha256 "$sha256" revision "$revision" keys "$keys" unchanged "$unchanged" \
  written "$written" missing "$missing" restoreSeconds $((restored - before)) startSeconds $((ready - restored))
# end of step
