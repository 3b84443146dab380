#!/usr/bin/env bash
# Reads what this node says of itself; changes nothing. Lines of key=value; an empty value was not found.
#
# Usage: ROLE   (after lib.sh)
role=$1
config=/etc/rancher/rke2
echo "hostname=$(hostname)"
echo "versionOnDisk=$(version_on_disk || true)"
echo "versionRunning=$(version_running "$role" || true)"
echo "binary=$(rke2_binary || true)"
echo "service=$(systemctl is-active "rke2-$role.service" || true)"
echo "serviceSince=$(systemctl show -P ActiveEnterTimestamp "rke2-$role.service")"
echo "bootId=$(cat /proc/sys/kernel/random/boot_id)"
echo "clockMs=$(date +%s%3N)"
echo "owner=$(cat "$STATE/owner" 2>/dev/null || true)"
echo "step=$(systemctl show -P Description rke2-upgrade-step.service 2>/dev/null | grep '^rke2-upgrade: ' || true)"
echo "rancherManaged=$([ -e $config/config.yaml.d/50-rancher.yaml ] && echo true || echo false)"
echo "ingressController=$(sed -n 's/^ingress-controller:[[:space:]]*"\?\([a-z-]*\).*/\1/p' $config/config.yaml $config/config.yaml.d/*.yaml 2>/dev/null | tail -n 1 || true)"
echo "freeMiB=$(($(df --output=avail -k "$RKE2_DATA" 2>/dev/null | tail -n 1 | tr -d ' ' || echo 0) / 1024))"
echo "cgroup=$(stat -fc %T /sys/fs/cgroup)"
echo "durations=$(tail -n 500 "$STATE/durations" 2>/dev/null | tr '\n' '\t' || true)"
# What each API server counts by itself, since its start; a server that is down has nothing to say.
if [ "$role" = server ] && metrics=$(kube 127.0.0.1 get --raw /metrics 2>/dev/null); then
  echo "deprecatedApis=$(grep '^apiserver_requested_deprecated_apis{' <<<"$metrics" | tr '\n' '\t' || true)"
fi
# end of step
