#!/usr/bin/env bash
# Takes this node for a change, or lets it go: the lock that holds without the API.
#
# Usage: take|release OWNER WHO   (after lib.sh, lib-left.sh and lib-hold.sh)
#   OWNER  UUID of the change's state; WHO  change, person and machine, for the one who is refused
action=$1 owner=$2 who=$3
file=$STATE/owner
mkdir -p "$STATE"
if [ "$action" = release ]; then
  if [ "$(cut -d' ' -f1 "$file" 2>/dev/null || true)" = "$owner" ]; then
    # Data that a way back moved aside on this node: settled now, by the one who moved it.
    rm -rf "$STATE/back" "$STATE/restore" "$RKE2_DATA"/server/db/rke2-upgrade-*
    # So is where a server joins that never came to back-finish.sh: it has its data, and starts next by its own config.
    rm -f "$JOIN_DROPIN"
    # A hold that a broken-off run left would keep RKE2 from its next start, long after. Only where it runs: a machine that
    # was put back is held at rest for good reason.
    for role in server agent; do
      if systemctl is-active -q "rke2-$role.service"; then free_service "$role"; fi
    done
    # What was kept of the config stays; that this node's turn has begun is over.
    rm -f "$STATE"/backup/*/complete
    # So is what it had RKE2 import, where that was cut off (lib-images.sh).
    rm -f "$RKE2_DATA"/agent/images/rke2-upgrade-* "$RKE2_DATA/agent/images/.rke2-upgrade.part"
    # So are its patches: an ID that comes again is another change.
    rm -rf "$STATE/os"
    # And nothing is compared with its scans any more: the next change may take another benchmark. kube-bench's JSON stays.
    rm -f "$STATE"/scan/*/before
    rm -f "$file"
  fi
  exit 0
fi
# A link to a finished file: of two who come at once one wins, and a kill leaves no empty lock.
own=$(mktemp "$file.XXXXXXXX")
echo "$owner $who since $(date -u +%FT%TZ)" >"$own"
ln "$own" "$file" 2>/dev/null || true
rm -f "$own"
held=$(cat "$file")
[ "${held%% *}" = "$owner" ] || fail "held by another change: ${held#* }" "finish or accept that change first; only if it is known to be dead, remove $file on every node"
# What was changed by hand has been judged before the node is taken: acknowledged, or part of a turn that goes on.
if [ ! -e "$LEFT" ] || [ -n "$(left_changes)" ] || [ "$(left_value version)" != "$(version_on_disk || true)" ]; then left_record; fi
# end of step
