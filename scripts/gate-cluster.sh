#!/usr/bin/env bash
# Asks the cluster, from a healthy server, whether NODE may have its turn now, and marks NODE as being worked on.
#
# Usage: NODE ROLE WANTED ACCEPTED CHANGE SERVERS
#   SERVERS  number of etcd members there must be
# A node that already runs WANTED, with no mark of an unfinished turn, is left alone: then every later step of
# its turn finds no mark and does nothing.
node=$1 role=$2 wanted=$3 accepted=$4 change=$5 servers=$6

api_ready
row=$(nodes_table | awk -F'|' -v n="$node" '$1 == n')
[ -n "$row" ] || fail "the cluster has no node named $node" "check nodes[].name against: kubectl get nodes"
IFS='|' read -r _ ready version unschedulable mark cordoned <<<"$row"
[ -z "$mark" ] || [ "$mark" = "$change" ] ||
  fail "$node carries the mark of change $mark" "finish that change, or remove the annotation rke2-upgrade/working from the node"
# First of all: the node that another one waits for may be further down the chain.
if [ -z "$mark" ] && [ "$version" = "$wanted" ]; then
  say "$node already runs $wanted: nothing to do"
  result marked false version "$version"
  exit 0
fi

others=$(nodes_table | awk -F'|' -v n="$node" '$1 != n && $2 != "True" { print $1 }')
[ -z "$others" ] || fail "not Ready: ${others//$'\n'/ }" "kubectl describe node $(echo "$others" | head -n 1); no node is taken down while another is"
working=$(nodes_table | awk -F'|' -v n="$node" '$1 != n && $5 != "" { print $1 }')
[ -z "$working" ] || fail "${working//$'\n'/ } is still in its turn" "run pulumi up again; nodes are upgraded one at a time"
stale=$(stale_leases "$node")
[ -z "$stale" ] || fail "no lease renewed for over 40 s: $stale" "the kubelet there has lost the API (rancher/rke2#6208): systemctl restart rke2-agent on it"
# Half-way through its turn a server's own member may be down.
etcd_healthy "$servers" "$([ -n "$mark" ] && [ "$role" = server ] && echo 1 || echo 0)"

if [ -z "$mark" ]; then
  [ "$ready" = True ] || fail "$node is not Ready" "kubectl describe node $node; a node is upgraded only when it is healthy"
  [ "$version" = "$accepted" ] || fail "$node runs $version, neither $accepted nor $wanted" "set acceptedVersion to what the nodes run"
  [ "$unschedulable" != true ] || [ "$cordoned" = "$change" ] ||
    fail "$node was cordoned by somebody else" "find out why; then kubectl uncordon $node"
fi
if [ "$role" = agent ]; then
  versions=$(kube "$API" get nodes -l node-role.kubernetes.io/control-plane -o jsonpath='{range .items[*]}{.metadata.name}={.status.nodeInfo.kubeletVersion}{"\n"}{end}')
  behind=$(grep -v "=$wanted\$" <<<"$versions" || true)
  [ -z "$behind" ] || fail "servers not on $wanted: ${behind//$'\n'/ }" "agents go after all servers: run pulumi up again"
fi

kube "$API" annotate node "$node" --overwrite "rke2-upgrade/working=$change" >/dev/null
result marked true version "$version"
# end of step
