#!/usr/bin/env bash
# Reads what this node says of itself; changes nothing. Lines of key=value; an empty value was not found.
#
# Usage: ROLE   (after lib.sh, lib-api.sh, lib-etcd-view.sh, lib-left.sh and lib-layout.sh)
role=$1
# First and last, so that the caller can tell this clock from the time that the look took.
echo "clockMs=$(date +%s%3N)"

# Figures that take two looks to judge: processor time of the machine, etcd's writes to its log. A second apart.
# sample PREFIX
sample() {
  local metrics
  echo "$1CpuUs=$(awk '$1 == "usage_usec" { print $2 }' /sys/fs/cgroup/cpu.stat 2>/dev/null || true)"
  echo "$1AtUs=$(date +%s%6N)"
  metrics=$(curl -sf --noproxy '*' --max-time 3 http://127.0.0.1:2381/metrics </dev/null || true)
  awk -v p="$1" '$1 == "etcd_disk_wal_fsync_duration_seconds_sum" { print p "FsyncSeconds=" $2 }
    $1 == "etcd_disk_wal_fsync_duration_seconds_count" { print p "Fsyncs=" $2 }
    $1 == "etcd_server_quota_backend_bytes" { printf "etcdQuotaBytes=%.0f\n", $2 }' <<<"$metrics"
}
if [ "$role" = server ]; then
  # Whether this API server is ready, asked beside the rest: 5 s, for a whole look has 10.
  exec 3< <(api /readyz --max-time 5 -w '\n@%{http_code} %{time_total}\n' | tr '\n' ' ')
  sample first
  began=$(date +%s%3N)
fi

echo "versionOnDisk=$(version_on_disk || true)"
echo "versionRunning=$(version_running "$role" || true)"
echo "binary=$(rke2_binary || true)"
echo "service=$(systemctl is-active "rke2-$role.service" || true)"
echo "bootId=$(cat /proc/sys/kernel/random/boot_id)"
# Of its network cards; a card in a bond may show the bond's address, and its own as permaddr.
ip -o link | grep -oE '(link/ether|permaddr) [0-9a-f:]{17}' | awk '{ print "card=" $2 }' | sort -u || true
echo "owner=$(cat "$STATE/owner" 2>/dev/null || true)"
echo "rancherManaged=$([ -e "$CONFIG_FOLDER/config.yaml.d/50-rancher.yaml" ] && echo true || echo false)"
unknown_layout | sed 's/^/unknownLayout=/'
etcd_mounts | sed 's/^/etcdMount=/'
echo "ingressController=$(ingress_controllers)"
echo "cgroup=$(stat -fc %T /sys/fs/cgroup)"

# How the last run left it, and which files are otherwise now.
echo "leftVersion=$(left_value version)"
echo "leftAt=$(left_value at)"
left_changes | sed 's/^/leftChange=/'

# The changes that began to upgrade its OS packages here (patch.sh).
for before in "$STATE"/os/*/before; do
  if [ -e "$before" ]; then echo "patchedUnder=$(basename "${before%/before}")"; fi
done

# Room where RKE2 lives and where the release files go, the folder's parent where it is not there yet:
# path MiB-free inodes-free inodes-in-all; a file system without a fixed number of inodes says 0 or -.
for path in "$RKE2_DATA" "$STATE"; do
  [ -d "$path" ] || path=$(dirname "$path")
  echo "disk=$(df --output=target,avail,iavail,itotal -k "$path" | awk 'NR == 2 { printf "%s %d %d %d", $1, $2 / 1024, $3, $4 }')"
done
awk '$1 == "MemTotal:" { total = $2 } $1 == "MemAvailable:" { free = $2 } END { printf "memoryMiB=%d\nmemoryFreeMiB=%d\n", total / 1024, free / 1024 }' /proc/meminfo
echo "processors=$(nproc)"

# RKE2's own word for its certificates; each that is not well: file (subject)|expires|status. As text, a line of its log each:
# the table came with 1.31.5 and 1.32.1, and had other columns at first.
certificates=$(timeout 8 "$(rke2_binary || echo false)" certificate check </dev/null 2>&1 || true)
awk 'match($0, /(is ok, expires|will expire within [0-9]+ days|expired|is not valid before)( at)? [0-9T:.Z+-]+/) { n++
    said = substr($0, RSTART, RLENGTH); which = substr($0, 1, RSTART - 2); when = said; sub(/.* /, "", when)
    sub(/.*msg="?/, "", which); sub(/^[A-Z]+\[[0-9]+\] */, "", which)
    sub(/: certificate /, " (", which); sub(/ \([^()]*\)$/, ")", which)
    status = said ~ /^will/ ? "WARNING" : said ~ /^expired/ ? "EXPIRED" : "NOT YET VALID"
    if (said !~ /^is ok/) print "certificateDue=" which "|" when "|" status }
  END { print "certificates=" n + 0 }' <<<"$certificates"

# A template that does not build on RKE2's own breaks containerd at its next start (NVIDIA/gpu-operator#992).
for template in "$RKE2_DATA"/agent/etc/containerd/config*.toml.tmpl; do
  if [ -e "$template" ] && ! grep -q 'template "base"' "$template"; then echo "containerdTemplate=$template"; fi
done

# What steps took that ended well here (envelope.sh).
tail -n 500 "$STATE/durations" 2>/dev/null | sed 's/^/duration=/' || true

if [ "$role" = server ]; then
  etcd_view '='
  ca=$(awk '$1 == "certificate-authority-data:" { print $2 }' "$KUBECONFIG_FILE" 2>/dev/null || true)
  # Nothing has a SHA-256 as well.
  echo "kubeconfigCa=$([ -z "$ca" ] || base64 -d <<<"$ca" 2>/dev/null | sha256sum | cut -c -64)"
  # HTTP status, seconds, what it said.
  ready=$(cat <&3)
  echo "ready=$(sed -E 's/(.*)@([0-9]{3}) ([0-9.]+) (.*)/\2 \3 \1\4/' <<<"$ready" | cut -c -200)"
  # What it counts by itself, since its start; one that is down has nothing to say.
  metrics=
  if [[ $ready == *@200* ]]; then metrics=$(api /metrics --max-time 3 || true); fi
  if [ "$(tail -n 1 <<<"$metrics")" = 200 ]; then
    echo "apiMetrics=read"
    sed -n 's/^apiserver_requested_deprecated_apis{/deprecatedApi=&/p' <<<"$metrics"
  fi
  left=$((began + 1000 - $(date +%s%3N)))
  if [ "$left" -gt 0 ]; then sleep "$(printf '0.%03d' "$left")"; fi
  sample last
fi
echo "clockEndMs=$(date +%s%3N)"
# end of step
