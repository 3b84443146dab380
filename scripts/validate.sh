#!/usr/bin/env bash
# Post-upgrade verification of procedure §3.3.3: versions, components, pods and the ingress.
#
# Usage: WANTED SERVERS SECONDS SICK [URL ADDRESS]…
#   SICK     space-separated patterns namespace/name of pods, and of controllers, that may be sick (consents.sickPods)
#   URL      must answer 2xx or 3xx; ADDRESS  where to find its host, "-" = by DNS
# shellcheck disable=SC2317 # settled is called by until_ok
wanted=$1 servers=$2 seconds=$3 sick=$4
shift 4
api_ready
wrong=$(nodes_table | awk -F'|' -v w="$wanted" '$2 != "True" || $3 != w || $5 != "" || $6 != "" { print $1 }' | tr '\n' ' ')
[ -z "$wrong" ] || fail "nodes not Ready on $wanted or still marked: $wrong" "kubectl get nodes -o wide; run pulumi up again"
etcd_healthy "$servers"
for port in 10257 10259; do
  curl -skf --noproxy '*' --max-time 5 "https://127.0.0.1:$port/healthz" >/dev/null </dev/null || fail "the component on 127.0.0.1:$port is not healthy" "kubectl get componentstatuses; crictl ps -a"
done

# RKE2's own helm-install jobs are judged by charts-settled.sh: what failed of them between two servers stays there.
settled() {
  local pods pod lacking bad="" short=""
  pods=$(kube "$API" get pods -A -o jsonpath='{range .items[*]}{.metadata.namespace}/{.metadata.name} {.status.phase} {.status.conditions[?(@.type=="Ready")].status}{"\n"}{end}' | awk '$1 !~ /^kube-system\/helm-install-/ && ($2 == "Failed" || ($2 != "Succeeded" && $3 != "True")) { print $1 }') || return 1
  for pod in $pods; do
    # shellcheck disable=SC2086 # patterns by spaces
    agreed "$pod" $sick || bad="$bad$pod "
  done
  [ -z "$bad" ] || { echo "pods not running: $bad" && return 1; }
  lacking=$(lacking_pods) || return 1
  for pod in $lacking; do
    # shellcheck disable=SC2086 # patterns by spaces
    agreed "$pod" $sick || short="$short$pod "
  done
  [ -z "$short" ] || { echo "no new pods for: $short(kubectl describe them; events: FailedCreate)" && return 1; }
}
set -f # the consents are patterns for pods, not for files
until_ok "$seconds" settled || fail "after $seconds s: $LAST" "kubectl get pods -A -o wide; kubectl describe pod; mend or delete them, or name them in consents.sickPods"

answered=0
while [ $# -gt 1 ]; do
  url=$1 address=$2
  shift 2
  options=()
  # The URL's own port, and a name as well as an address, which --resolve refuses.
  if [ "$address" != - ]; then options=(--connect-to "::$address:"); fi
  until_ok 60 curl -ksSf --noproxy '*' -o /dev/null --max-time 10 "${options[@]}" "$url" || fail "$url does not answer: $LAST" "kubectl get pods -A -o wide | grep -i -e traefik -e ingress; the ingress controller must run on the agents"
  answered=$((answered + 1))
done
result pods running ingress "$answered"
# end of step
