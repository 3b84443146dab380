#!/usr/bin/env bash
# What every step shares. Sent in front of the step's own file; see envelope.sh.
# shellcheck disable=SC2034 # constants are used by the steps
set -euo pipefail

STEP=$1
shift
STARTED=$(date +%s%N)
STATE=/var/lib/rke2-upgrade
RKE2_DATA=/var/lib/rancher/rke2
# This node's name in the stack's config, which is its name in Kubernetes: the hostname may be another. Set in front of
# what is sent (index.ts); what is sent without it tells the hostname.
HERE=${HERE:-$(hostname)}
CONFIG_FOLDER=/etc/rancher/rke2
# Our own drop-in of RKE2's config, while a server comes back: where it joins, whatever its own config says. Of two
# files that name a server the one whose name sorts last counts.
JOIN_DROPIN=$CONFIG_FOLDER/config.yaml.d/zzz-rke2-upgrade-join.yaml
KUBECONFIG_FILE=/etc/rancher/rke2/rke2.yaml
ETCD_TLS=$RKE2_DATA/server/tls/etcd

# What a step asks of Kubernetes and etcd, a dot for each question, beside its own file, where the envelope clears it
# away: questions are asked in subshells too. What runs without an envelope counts for itself.
CALLS=/dev/null
case $0 in */step.*) CALLS=$0.calls ;; esac
: >"$CALLS"
asked() { printf . >>"$CALLS"; }

# Progress, for the person who watches.
say() { echo "$*"; }

# Ends the step: what was seen and wanted, then what to do next.
fail() {
  echo "$HERE: $STEP: $1" >&2
  echo "  next: $2" >&2
  exit 1
}

# The row of the procedure's troubleshooting table (§4.2) that fits, to stand at the end of what to do next.
row() {
  case $1 in
  join) echo '§4.2 "Node fails to join cluster": check certificates (rke2 certificate check), firewall rules (9345, 6443), token validity' ;;
  control-plane) echo '§4.2 "Control plane pod failures": version skew or resource constraints: kubectl logs -n kube-system POD, or crictl ps -a there' ;;
  quorum) echo '§4.2 "etcd quorum lost": restore from the etcd backup, bring up one node at a time' ;;
  reschedule) echo '§4.2 "Workloads fail to reschedule": check taints, tolerations, resources: kubectl get events -A --field-selector reason=FailedScheduling' ;;
  gpu) echo '§4.2 "GPU operator compatibility": update the GPU operator after the cluster upgrade' ;;
  esac
}

# A command that failed where none was expected to: never end without a word.
set -o errtrace
trap 'echo "$HERE: $STEP: \"$BASH_COMMAND\" ended with $?, which was not expected" >&2; echo "  next: look into journalctl -u rke2-upgrade-step there, then run pulumi up again" >&2' ERR

# Last line of every step: one JSON object. Arguments: key value pairs; values that are numbers or true/false stand
# bare. "node" is the node that the step is about: $node where it asks the cluster, else this one.
result() {
  local json key value
  json=$(printf '"step":"%s","node":"%s","startedAt":"%s","seconds":%s,"apiCalls":%d' "$STEP" "${node:-$HERE}" \
    "$(date -u -d "@${STARTED%?????????}" +%FT%TZ)" \
    "$(awk -v a="$STARTED" -v b="$(date +%s%N)" 'BEGIN { printf "%.1f", (b - a) / 1e9 }')" "$(wc -c <"$CALLS")")
  while [ $# -gt 1 ]; do
    key=$1 value=$2
    shift 2
    if [[ ! $value =~ ^(-?(0|[1-9][0-9]*)(\.[0-9]+)?|true|false)$ ]]; then
      value=${value//\\/\\\\}
      value=${value//\"/\\\"}
      value=${value//$'\n'/\\n}
      value="\"${value//$'\t'/ }\""
    fi
    json="$json,\"$key\":$value"
  done
  echo "{$json}"
}

# Runs a command until it succeeds. until_ok SECONDS COMMAND…: 1 when the time is over.
# The command's last output stays in LAST for the message.
until_ok() {
  local deadline=$(($(date +%s) + $1))
  shift
  until LAST=$("$@" 2>&1 </dev/null); do
    if [ "$(date +%s)" -ge "$deadline" ]; then return 1; fi
    sleep 1
  done
}

# RKE2's own crictl, which asks its containerd, for five minutes at most: a pull takes its time. crictl ARGUMENT…
crictl() { timeout 300 "$RKE2_DATA/bin/crictl" --config "$RKE2_DATA/agent/etc/crictl.yaml" "$@" </dev/null; }

# kube SERVER_ADDRESS ARGUMENT…: kubectl against one API server, never a mix of them, for KUBE_SECONDS at most.
KUBE_SECONDS=60
kube() {
  local address=$1
  shift
  asked
  timeout "$KUBE_SECONDS" "$RKE2_DATA/bin/kubectl" --kubeconfig "$KUBECONFIG_FILE" --server "https://$address:6443" \
    --request-timeout=15s "$@" </dev/null
}

# Asks this server's own etcd member over its JSON gateway; etcdctl is not on RKE2 hosts. RKE2 serves the gateway on
# the loopback's 2382 alone, and gRPC alone on 2379; releases from before that had both on 2379. etcd_ask PATH [BODY]
etcd_ask() {
  local nothing='{}' port
  asked
  for port in 2382 2379; do
    if curl -sf --noproxy '*' --max-time "${ETCD_SECONDS:-5}" --cacert "$ETCD_TLS/server-ca.crt" --cert "$ETCD_TLS/server-client.crt" \
      --key "$ETCD_TLS/server-client.key" -d "${2:-$nothing}" "https://127.0.0.1:$port$1" </dev/null; then return; fi
  done
  return 1
}

# Asks any member on the port that members use among themselves. etcd_peer_ask URL
etcd_peer_ask() {
  asked
  curl -sf --noproxy '*' --http1.1 --max-time "${ETCD_SECONDS:-5}" --cacert "$ETCD_TLS/peer-ca.crt" --cert "$ETCD_TLS/peer-server-client.crt" \
    --key "$ETCD_TLS/peer-server-client.key" "$1" </dev/null
}
# Whether it is there: what it says is its version. etcd_peer_version PEER_URL
etcd_peer_version() { etcd_peer_ask "$1/version"; }

# The members' peer URLs, one a line, from what /v3/cluster/member/list said.
etcd_peer_urls() { grep -o '"peerURLs":\["[^"]*' | sed 's/.*"//'; }

# The first value of a key in flat JSON (numbers in etcd's gateway are strings).
json_value() { grep -o "\"$1\":\"\?[^,\"}]*" | head -n 1 | sed 's/.*:"\?//'; }

# The version on disk: vX.Y.Z+rke2rN, or nothing.
version_on_disk() { rke2_binary >/dev/null && "$(rke2_binary)" --version </dev/null 2>/dev/null | awk 'NR == 1 { print $3 }'; }

# Where RKE2's binary is: tar installs to /usr/local or /opt/rke2, rpm to /usr.
rke2_binary() {
  local file
  for file in /usr/local/bin/rke2 /opt/rke2/bin/rke2 /usr/bin/rke2; do
    if [ -x "$file" ]; then echo "$file" && return; fi
  done
  return 1
}

# The files of RKE2's config that are there, in the order in which it reads them: config.yaml, then the drop-ins by name, the
# later one over the earlier. The quick start writes none on the first server.
config_files() {
  local file
  for file in "$CONFIG_FOLDER"/config.yaml "$CONFIG_FOLDER"/config.yaml.d/*.y*ml; do
    if [ -e "$file" ]; then echo "$file"; fi
  done
}

# What RKE2's config says of ingress-controller, comma-separated in its order: the first is the default class. A key with "+"
# goes beside what an earlier file says.
ingress_controllers() {
  local files
  mapfile -t files < <(config_files)
  # A value, a flow list or a block list, in quotes or none (\047 is the single one).
  awk 'function add(text) { sub(/(^|[ \t])#.*/, "", text); gsub(/[][\047" \t\r]/, "", text); found = found "," text }
    FNR == 1 { inside = 0 }
    /^[\047"]?ingress-controller[\047"]?\+?[\047"]?[ \t]*:/ {
      key = rest = $0; sub(/:.*/, "", key); sub(/^[^:]*:/, "", rest)
      if (key !~ /\+/) found = ""
      add(rest); inside = 1; next
    }
    inside && /^[ \t]*#/ { next }
    inside && /^(-|[ \t])/ { sub(/^[ \t]*-[ \t]/, ""); add($0); next }
    { inside = 0 }
    END { gsub(/,+/, ",", found); gsub(/^,|,$/, "", found); print found }' "${files[@]}" </dev/null
}

# Exports what RKE2's unit has in its environment (proxies, RKE2_*), for who runs rke2 beside it, in a subshell: the questions
# that steps ask are to go by no proxy. As systemd reads it, but for lines that go on in the next, and for values of the
# unit's own lines that hold a space: systemd before 246 shows "[unprintable]" for them. unit_environment ROLE
unit_environment() {
  local file line value
  while IFS= read -r line; do
    if [[ $line =~ ^[A-Za-z_][A-Za-z0-9_]*= ]]; then export "${line?}"; fi
  done < <(systemctl show --value -p Environment "rke2-$1.service" | xargs -r -n 1 printf '%s\n')
  while read -r file _; do
    if [ ! -r "$file" ]; then continue; fi
    while IFS= read -r line || [ -n "$line" ]; do
      if ! [[ $line =~ ^[A-Za-z_][A-Za-z0-9_]*= ]]; then continue; fi
      value=${line#*=}
      if [[ $value =~ ^\"(.*)\"$ ]] || [[ $value =~ ^\'(.*)\'$ ]]; then value=${BASH_REMATCH[1]}; fi
      export "${line%%=*}=$value"
    done <"$file"
  done < <(systemctl show --value -p EnvironmentFiles "rke2-$1.service")
}

# The version of the running process, which can be older than the file.
version_running() {
  local pid
  pid=$(systemctl show --value -p MainPID "rke2-$1.service")
  [ "$pid" != 0 ] && "/proc/$pid/exe" --version </dev/null 2>/dev/null | awk 'NR == 1 { print $3 }'
}
