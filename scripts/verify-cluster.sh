#!/usr/bin/env bash
# Proves from a server that the cluster has NODE back on WANTED and that no other node suffered; then watches it
# for a while (the soak). Ends a server's turn.
#
# Usage: NODE ROLE WANTED ACCEPTED CHANGE SERVERS LEASE_SECONDS READY_SECONDS SOAK_SECONDS HINT [FELLOWS]
#   LEASE_SECONDS  a lease not renewed for longer than this is stale
#   READY_SECONDS  a node NotReady for longer than this is stuck (procedure §4.1: 5 min)
#   SOAK_SECONDS   everything must stay true for this long
#   HINT           what is said of the way back where it does not come up
#   FELLOWS  the nodes of its wave, for a server all agents, space-separated: those that bear CHANGE's mark may be down
# shellcheck disable=SC2317 # healthy is called by until_ok
node=$1 role=$2 wanted=$3 accepted=$4 change=$5 servers=$6 lease_seconds=$7 ready_seconds=$8 soak_seconds=$9 hint=${10} fellows=${11:-}
image_tag=${wanted//+/-}

# Every condition, or the first that does not hold, on stdout.
healthy() {
  local table row others stale wrong
  # First: all that follows asks the API, and would say of a slow one only that it gave up.
  api_prompt || return 1
  table=$(nodes_table) || return 1
  AWAY=$(away_with "$table" "$change" "$fellows")
  row=$(awk -F'|' -v n="$node" '$1 == n { print $2 "|" $3 }' <<<"$table")
  [ "$row" = "True|$wanted" ] || { echo "$node is Ready|version $row, wanted True|$wanted" && return 1; }
  others=$(awk -F'|' -v away=" $AWAY" '$2 != "True" && !index(away, " " $1 " ") { print $1 }' <<<"$table" | tr '\n' ' ')
  [ -z "$others" ] || { echo "not Ready: $others" && return 1; }
  stale=$(stale_leases "$lease_seconds" "$AWAY") || return 1
  [ -z "$stale" ] || { echo "no lease renewed for over $lease_seconds s: $stale (a kubelet that lost the API, rancher/rke2#6208: systemctl restart rke2-agent there)" && return 1; }
  if [ "$role" = server ]; then
    # Kubelet new, API server old has happened (rancher/rke2#4221): the static pods' images are asked too. etcd and
    # the cloud controller manager have tags of their own: of them only Ready is asked.
    wrong=$(kube "$API" -n kube-system get pods --field-selector "spec.nodeName=$node" -l tier=control-plane \
      -o jsonpath='{range .items[*]}{.metadata.name} {.spec.containers[0].image} {.status.conditions[?(@.type=="Ready")].status}{"\n"}{end}' |
      awk -v tag="$image_tag" '$3 != "True" || (/^kube-(apiserver|controller-manager|scheduler|proxy)-/ && index($2, tag) == 0); /^kube-apiserver-/ { seen = 1 } END { if (!seen) print "no kube-apiserver pod yet" }') || return 1
    [ -z "$wrong" ] || { echo "static pods not on $image_tag or not Ready: ${wrong//$'\n'/; }. $(row control-plane)" && return 1; }
    (etcd_healthy "$servers") 2>&1 || return 1
  fi
  # An agent is still cordoned: what can run there alone has no place yet.
  if [ "$role" = server ]; then calm "$node" with-pending; else calm "$node"; fi
}

api_ready
if ! in_turn "$node" "$change" "$wanted" "$accepted"; then
  # Done in an earlier run: what another node suffers in its own turn now is not this one's to judge.
  row=$(nodes_table | awk -F'|' -v n="$node" '$1 == n { print $2 "|" $3 }')
  [ "$row" = "True|$wanted" ] || fail "$node is Ready|version $row, wanted True|$wanted" "kubectl describe node $node; journalctl -u rke2-$role on it"
  result version "$wanted"
  exit 0
fi
if [ "$role" = server ]; then
  # Cordoned for patches of its OS that were switched off since: no other step takes that off, and what can run there alone
  # has no place until then.
  table=$(nodes_table) || fail "cannot list the nodes" "see whether the API answers here (kubectl get nodes), then run pulumi up again"
  if awk -F'|' -v n="$node" -v change="$change" '$1 == n && $4 == "true" && $6 == change { found = 1 } END { exit !found }' <<<"$table"; then
    kube "$API" uncordon "$node"
    # Ours no more: a cordon that somebody sets from now on stays.
    kube "$API" annotate node "$node" rke2-upgrade/cordoned- >/dev/null
  fi
fi
until_ok "$ready_seconds" healthy || fail "after $ready_seconds s: $LAST" "kubectl describe node $node; journalctl -u rke2-$role on it; mend it and run pulumi up again; $hint. $(row join)"
say "$node is back; watching it for $soak_seconds s"
stays "$soak_seconds" healthy || fail "relapsed while being watched: $LAST" "kubectl describe node $node; journalctl -u rke2-$role on it; $hint"
strained=$(strain)
[ -z "$strained" ] || say "concerning: ${strained//$'\n'/; }"
if [ "$role" = server ]; then kube "$API" annotate node "$node" rke2-upgrade/working- rke2-upgrade/cordoned- >/dev/null; fi
result version "$wanted"
# end of step
