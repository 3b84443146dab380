#!/usr/bin/env bash
# Proves that Rancher serves, at VERSION, and that every cluster it manages is Active and connected.
#
# Usage: NAMESPACE NAME VERSION SECONDS WATCH [CLUSTER…]
#   NAME      of its release, and of its Service
#   VERSION   X.Y.Z, which the server itself must say
#   WATCH     seconds that it must stay so: right after the rollout an agent may still seem connected, from before
#   CLUSTER   clusters, by name, that may be away
# shellcheck disable=SC2317 # well is called by steadily
namespace=$1 name=$2 version=$3 seconds=$4 watch=$5
shift 5
may_be_away=" $* "

# Clusters that are not Active, or whose agent is not connected, one after another.
away() {
  rancher_clusters | awk -F'\t' -v away="$may_be_away" '
    index(away, " " $1 " ") { next }
    $3 != "True" { printf "%s (%s) is not Active; ", $1, $2; next }
    $4 != "-" && $4 != "True" { printf "%s (%s): its agent is not connected; ", $1, $2 }'
}

well() {
  local said found waiting port scheme
  # Through the API server to one of its pods: neither DNS nor an ingress is asked.
  port=$(kube "$API" -n "$namespace" get service "$name" -o jsonpath='{.spec.ports[0].port}' 2>&1) || { echo "$port" && return 1; }
  [ "$port" = 443 ] && scheme=https || scheme=http
  said=$(kube "$API" get --raw "/api/v1/namespaces/$namespace/services/$scheme:$name:$port/proxy/ping" 2>&1) || { echo "/ping: ${said:0:300}" && return 1; }
  [ "$said" = pong ] || { echo "/ping says ${said:0:100}, wanted pong" && return 1; }
  found=$(server_version) || return 1
  [ "${found#v}" = "$version" ] || { echo "its server says that it is ${found:-no version}, wanted v$version" && return 1; }
  waiting=$(away) || return 1
  [ -z "$waiting" ] || { echo "$waiting" && return 1; }
}

api_ready
steadily "$seconds" "$watch" well || fail "Rancher is not well after $seconds s: $LAST" "kubectl -n $namespace get pods,events; kubectl -n $namespace logs deployment/$name; kubectl get clusters.management.cattle.io; mend it and run pulumi up again, or go back (docs/rancher.md); a cluster that may be away: rancher.awayClusters"
result release "$namespace/$name" server "v$version" clusters "$(rancher_clusters | wc -l)"
# end of step
