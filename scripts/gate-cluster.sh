#!/usr/bin/env bash
# Asks the cluster, from a healthy server, whether NODE may have its turn now, and marks NODE as being worked on.
#
# Usage: NODE ROLE WANTED ACCEPTED CHANGE SERVERS LEASE_SECONDS [FELLOWS]
#   SERVERS  number of etcd members there must be
#   LEASE_SECONDS  a lease not renewed for longer than this is stale
#   FELLOWS  the nodes of its wave, for a server all agents, space-separated: those that bear CHANGE's mark may be down
# A node that already runs WANTED, with no mark of an unfinished turn, is left alone: then every later step of
# its turn finds no mark and does nothing. Where WANTED is ACCEPTED the change is a round of OS patches: then it is left alone
# once a mark of its own says that it is done.
node=$1 role=$2 wanted=$3 accepted=$4 change=$5 servers=$6 lease_seconds=$7 fellows=${8:-}

api_ready
table=$(nodes_table) || fail "cannot list the nodes" "see whether the API answers here (kubectl get nodes), then run pulumi up again"
found=$(awk -F'|' -v n="$node" '$1 == n' <<<"$table")
[ -n "$found" ] || fail "the cluster has no node named $node" "check nodes[].name against: kubectl get nodes"
IFS='|' read -r _ ready version unschedulable mark cordoned _ patched <<<"$found"
[ -z "$mark" ] || [ "$mark" = "$change" ] ||
  fail "$node carries the mark of change $mark" "finish that change, or remove the annotation rke2-upgrade/working from the node"
# First of all: the node that another one waits for may be further down the chain.
if [ -z "$mark" ] && [ "$version" = "$wanted" ] && { [ "$wanted" != "$accepted" ] || [ "$patched" = "$change" ]; }; then
  say "$node already runs $wanted${patched:+, patched in $patched}: nothing to do"
  result marked false version "$version"
  exit 0
fi

# A node that is in its turn already is mended by going on, whoever else is in one: waves may have been narrowed since.
[ -z "$mark" ] || fellows=$(awk -F'|' -v n="$node" '$1 != n { print $1 }' <<<"$table" | tr '\n' ' ')
away=$(away_with "$table" "$change" "$fellows")
# Everybody else: nobody but a fellow in its turn may be down.
rest=$(awk -F'|' -v away=" $node $away " '!index(away, " " $1 " ")' <<<"$table")
others=$(awk -F'|' '$2 != "True" && $1 != "" { print $1 }' <<<"$rest")
[ -z "$others" ] || fail "not Ready: ${others//$'\n'/ }" "kubectl describe node $(echo "$others" | head -n 1); no node is taken down while another is. $(row join)"
working=$(awk -F'|' '$5 != "" { print $1 }' <<<"$rest")
[ -z "$working" ] || fail "${working//$'\n'/ } is still in its turn" "run pulumi up again; nodes are upgraded one at a time, agents in their waves. Where its turn stands after this one's in the order, set agents.maxUnavailable to what it was when it began"
stale=$(stale_leases "$lease_seconds" "$node $away")
[ -z "$stale" ] || fail "no lease renewed for over $lease_seconds s: $stale" "the kubelet there has lost the API (rancher/rke2#6208): systemctl restart rke2-agent on it"
# Half-way through its turn a server's own member may be down.
etcd_healthy "$servers" "$([ -n "$mark" ] && [ "$role" = server ] && echo 1 || echo 0)"

if [ -z "$mark" ]; then
  [ "$ready" = True ] || fail "$node is not Ready" "kubectl describe node $node; a node is upgraded only when it is healthy"
  [ "$version" = "$accepted" ] || fail "$node runs $version, neither $accepted nor $wanted" "bring it to $accepted; where the nodes never ran that, set rke2Version and acceptedVersion both to what they run"
  [ "$unschedulable" != true ] || [ "$cordoned" = "$change" ] ||
    fail "$node was cordoned by somebody else" "find out why; then kubectl uncordon $node"
fi
if [ "$role" = agent ]; then
  behind=$(awk -F'|' -v w="$wanted" '$7 == "true" && $3 != w { print $1 "=" $3 }' <<<"$table")
  [ -z "$behind" ] || fail "servers not on $wanted: ${behind//$'\n'/ }" "agents go after all servers: run pulumi up again"
fi

# What ails before the turn is not the turn's doing; one that goes on keeps the list with which it began.
[ -n "$mark" ] || remember_sick "$node"
kube "$API" annotate node "$node" --overwrite "rke2-upgrade/working=$change" >/dev/null
result marked true version "$version"
# end of step
