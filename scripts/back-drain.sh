#!/usr/bin/env bash
# Drains NODE before it goes back, as far as that can be: bounded, and no failure. Where the API is dead there is
# nobody to ask, and where budgets cannot hold, since every node goes, waiting would only lengthen the outage.
#
# Usage: NODE CHANGE UNLESS SECONDS EMPTYDIR BARE
#   UNLESS  a node that runs this version and bears no mark of a turn is not going anywhere; "" = always drained
#   EMPTYDIR, BARE  consents, as in drain.sh: with none, pods of that kind stay until RKE2 ends
node=$1 change=$2 unless=$3 seconds=$4 emptydir=$5 bare=$6
if ! until_ok 10 kube "$API" get --raw /readyz; then
  say "$node: the API server here does not answer: not drained"
  result drained false why "no API"
  exit 0
fi
row=$(kube "$API" get node "$node" -o jsonpath='{.spec.unschedulable}|{.metadata.annotations.rke2-upgrade/working}|{.status.nodeInfo.kubeletVersion}') || row=gone
if [ "$row" = gone ]; then
  result drained false why "the API does not know it"
  exit 0
fi
IFS='|' read -r unschedulable mark version <<<"$row"
if [ "$version" = "$unless" ] && [ -z "$mark" ]; then
  result drained false why "it runs $version and was not touched"
  exit 0
fi
# Somebody else's cordon stays theirs: it is not marked, so it is not taken off after.
if [ "$unschedulable" != true ]; then
  kube "$API" annotate node "$node" --overwrite "rke2-upgrade/working=$change" "rke2-upgrade/cordoned=$change" >/dev/null || true
fi
options=(--ignore-daemonsets "--timeout=${seconds}s" "--grace-period=$seconds")
if [ -n "$emptydir" ]; then options+=(--delete-emptydir-data); fi
if [ -n "$bare" ]; then options+=(--force); fi
drained=true
timeout $((seconds + 15)) "$RKE2_DATA/bin/kubectl" --kubeconfig "$KUBECONFIG_FILE" --server "https://$API:6443" \
  drain "$node" "${options[@]}" </dev/null >/dev/null 2>"$STATE/back-drain.err" || drained=false
if [ "$drained" = false ]; then say "$node is not drained after $seconds s, going on: $(grep -v '^WARNING\|^Warning\|^evicting' "$STATE/back-drain.err" | tail -n 1 | cut -c -300)"; fi
result drained "$drained"
# end of step
