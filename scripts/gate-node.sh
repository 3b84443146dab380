#!/usr/bin/env bash
# Asks this node's own questions before its turn. Changes nothing.
#
# Usage: ROLE WANTED ACCEPTED INGRESS CHANGE
#   ROLE server | agent; WANTED, ACCEPTED  vX.Y.Z+rke2rN; INGRESS  what ingress-controller must say, comma-separated ("" = anything)
role=$1 wanted=$2 accepted=$3 ingress=$4 change=$5

[ ! -e "$CONFIG_FOLDER/config.yaml.d/50-rancher.yaml" ] ||
  fail "Rancher provisions this node ($CONFIG_FOLDER/config.yaml.d/50-rancher.yaml)" "upgrade this cluster in Rancher; it would undo ours"
rke2_binary >/dev/null || fail "no rke2 binary" "check the node's address in nodes; install RKE2 $accepted first"
if [ "$(rke2_binary)" = /usr/bin/rke2 ]; then
  fail "RKE2 was installed by rpm, whose scripts restart the service by themselves" "not supported, and no way from rpm to tar in place is known: replace the node by one from the tarball, one at a time (docs/checks.md#rke2-installed-by-rpm)"
fi

disk=$(version_on_disk || true)
running=$(version_running "$role" || true)
case $disk in
"$wanted" | "$accepted") ;;
"")
  # An install that was cut off leaves a torn binary; the install step mends it.
  [ -e "$STATE/backup/$change/complete" ] || fail "its rke2 binary does not run" "rke2 --version on it; reinstall RKE2 $accepted"
  ;;
*) fail "runs ${disk:-an unreadable version}, but the change goes from $accepted to $wanted" "bring this node to $accepted; where the nodes never ran that, set rke2Version and acceptedVersion both to what they run" ;;
esac
# A node in the middle of its turn may be down; any other must be up. One that this change began to patch has rebooted,
# maybe just now: restart waits for it.
service=$(systemctl is-active "rke2-$role.service" || true)
if [ "$disk" = "$accepted" ] && [ "$service" != active ] && [ ! -e "$STATE/os/$change/before" ]; then
  fail "rke2-$role is $service" "journalctl -u rke2-$role -n 50; a node is upgraded only when it is healthy"
fi

for version in "$wanted" "$accepted"; do
  dir=$STATE/artifacts/$version
  (cd "$dir" && grep 'rke2\.linux-.*\.tar\.gz$' sha256sum-*.txt | sha256sum -c --status -) 2>/dev/null ||
    fail "the release files of $version in $dir are missing or damaged" "have them fetched again: pulumi state taint URN, with the URN of $HERE-fetch-artifacts from pulumi stack --show-urns; then pulumi up"
done

free_kb=$(df --output=avail -k "$RKE2_DATA" | tail -n 1 | tr -d ' ')
[ "$free_kb" -ge 2097152 ] || fail "only $((free_kb / 1024)) MiB free below $RKE2_DATA, 2048 are needed" "free space: crictl rmi --prune, old etcd snapshots, journals"

# RKE2 1.36: an unset ingress-controller means a Traefik of its own beside the one that runs.
if [ "$role" = server ] && [ -n "$ingress" ]; then
  found=$(ingress_controllers)
  line=$ingress
  if [[ $ingress == *,* ]]; then line="[${ingress//,/, }]"; fi
  [ "$found" = "$ingress" ] ||
    fail "ingress-controller is ${found:-not set} in $CONFIG_FOLDER, the stack says $ingress" "write 'ingress-controller: $line' into $CONFIG_FOLDER/config.yaml on every server"
fi

result version "${running:-none}" onDisk "$disk" freeMiB "$((free_kb / 1024))"
# end of step
