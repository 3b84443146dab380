#!/usr/bin/env bash
# Reads what a way back needs of this node; changes nothing. Lines of key=value.
#
# Usage: VERSION CHANGE ROLE   (after lib.sh and lib-layout.sh)
version=$1 change=$2 role=$3
dir=$STATE/artifacts/$version
echo "artifacts=$( (cd "$dir" && grep 'rke2\.linux-.*\.tar\.gz$' sha256sum-*.txt | sha256sum -c --status -) 2>/dev/null && echo whole || echo missing)"
echo "versionOnDisk=$(version_on_disk || true)"
echo "versionRunning=$(version_running "$role" || true)"
echo "service=$(systemctl is-active "rke2-$role.service" || true)"
echo "configKept=$([ -e "$STATE/backup/$change/complete" ] && echo true || echo false)"
echo "freeMiB=$(($(df --output=avail -k "$RKE2_DATA" | tail -n 1 | tr -d ' ') / 1024))"
# room FOLDER: its file system and the MiB that are free there, of the next folder above that is there
room() {
  local folder=$1
  until [ -d "$folder" ]; do folder=$(dirname "$folder"); done
  echo "$(stat -c %d "$folder") $(($(df --output=avail -k "$folder" | tail -n 1 | tr -d ' ') / 1024))"
}
echo "stateRoom=$(room "$STATE")"
echo "etcdRoom=$(room "$RKE2_DATA/server/db")"
echo "etcdMounts=$(etcd_mounts | tr '\n' ' ')"
echo "owner=$(cat "$STATE/owner" 2>/dev/null || true)"
echo "resets=$(find "$STATE/back" -path "*/$change-*/resetting" 2>/dev/null | tr '\n' ' ' || true)"
# end of step
