#!/usr/bin/env bash
# Keeps this node's RKE2 configuration as it was before the change (procedure §3.3.1, step 1).
#
# Usage: CHANGE WANTED
# Written once a change and never over a good one: /etc/rancher/rke2/config.yaml.bak, and beside it in
# $STATE/backup/CHANGE the whole of config.yaml, config.yaml.d, registries.yaml and the server's manifests.
change=$1 wanted=$2
dir=$STATE/backup/$change
if [ -e "$dir/complete" ] || [ "$(version_on_disk || true)" = "$wanted" ]; then
  say "kept before, or nothing to keep: this node is on $wanted"
  result kept false
  exit 0
fi
rm -rf "$dir.part"
mkdir -p "$dir.part"
for path in etc/rancher/rke2/config.yaml etc/rancher/rke2/config.yaml.d etc/rancher/rke2/registries.yaml var/lib/rancher/rke2/server/manifests; do
  if [ -e "/$path" ]; then (cd / && cp -a --parents "$path" "$dir.part"); fi
done
# Ours, where a way back was broken off, is none of its config.
rm -f "$dir.part$JOIN_DROPIN"
if [ -e /etc/rancher/rke2/config.yaml ]; then
  # An older change's copy is kept too, not written over.
  if [ -e /etc/rancher/rke2/config.yaml.bak ]; then cp -p /etc/rancher/rke2/config.yaml.bak "$dir.part/config.yaml.bak.before"; fi
  cp -p /etc/rancher/rke2/config.yaml /etc/rancher/rke2/config.yaml.bak.part
  mv /etc/rancher/rke2/config.yaml.bak.part /etc/rancher/rke2/config.yaml.bak
fi
touch "$dir.part/complete"
rm -rf "$dir"
mv "$dir.part" "$dir"
sync
result kept true directory "$dir"
# end of step
