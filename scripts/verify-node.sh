#!/usr/bin/env bash
# Proves from the inside that this node runs WANTED: the file, the process, its service, its health endpoints.
#
# Usage: ROLE WANTED SECONDS
role=$1 wanted=$2 seconds=$3
tls=$RKE2_DATA/server/tls

# Processor time of this machine since it booted, microseconds; nothing where the kernel does not tell.
busy_us() { awk '$1 == "usage_usec" { print $2 }' /sys/fs/cgroup/cpu.stat 2>/dev/null || true; }

# Processors and memory are not used up: below 95 % over a second, and more than 5 % free.
# shellcheck disable=SC2317 # called by until_ok
unburdened() {
  local before
  awk '$1 == "MemTotal:" { total = $2 } $1 == "MemAvailable:" { free = $2 } END { if (free < total / 20) { printf "%d of %d MiB of memory free", free / 1024, total / 1024; exit 1 } }' /proc/meminfo || return 1
  before=$(busy_us)
  sleep 1
  awk -v a="${before:-0}" -v b="$(busy_us)" -v n="$(nproc)" 'BEGIN { share = (b - a) / 1e4 / n; if (share > 95) { printf "processors %d %% in use", share; exit 1 } }'
}

# Before what would fail for it with another reason; adopting asks nothing else of this.
layout=$(unknown_layout)
[ -z "$layout" ] || fail "RKE2's config sets ${layout//$'\n'/, }: not supported" "upgrade this cluster by other means; do not take that out of the config of a node that runs: it would begin without its data"
disk=$(version_on_disk || true)
[ "$disk" = "$wanted" ] || fail "rke2 --version says ${disk:-nothing}, not $wanted" "the node does not run what the stack says. Bring it there by an upgrade, not by acceptance; where the nodes never ran that (adoption), set rke2Version and acceptedVersion both to what they run"
running=$(version_running "$role" || true)
[ "$running" = "$wanted" ] || fail "the running process is ${running:-none}, the file is $disk" "systemctl status rke2-$role; a newer file does nothing until a restart"
service=$(systemctl is-active "rke2-$role.service" || true)
[ "$service" = active ] || fail "rke2-$role is $service" "journalctl -u rke2-$role -n 50"
until_ok "$seconds" curl -sf --noproxy '*' --max-time 5 http://127.0.0.1:10248/healthz || fail "the kubelet's health: $LAST" "journalctl -u rke2-$role -n 50"
if [ "$role" = server ]; then
  until_ok "$seconds" curl -sf --noproxy '*' --max-time 5 http://127.0.0.1:2381/health || fail "etcd's health: $LAST" "crictl ps -a --name etcd; crictl logs"
  # Not kubectl: a server that is being worked on is asked by its own endpoint alone.
  until_ok "$seconds" curl -sf --noproxy '*' --max-time 10 --cacert "$tls/server-ca.crt" --cert "$tls/client-admin.crt" --key "$tls/client-admin.key" https://127.0.0.1:6443/readyz ||
    fail "the API server's readyz: $LAST" "crictl ps -a --name kube-apiserver; crictl logs"
fi
# A spike is expected after a restart, then normal (procedure §4.1).
until_ok "$seconds" unburdened || fail "for $seconds s: $LAST (§4.1: sustained)" "top on it: what does not come to rest? $(row control-plane)"
# What was changed by hand before this is no news that a proof may swallow: a record that is there stays.
[ -e "$LEFT" ] || left_record
result version "$running" since "$(systemctl show --value -p ActiveEnterTimestamp "rke2-$role.service")"
# end of step
