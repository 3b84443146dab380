#!/usr/bin/env bash
# Ends NODE's turn: takes our cordon off, never somebody else's, and then our marks.
#
# Usage: NODE CHANGE WANTED
node=$1 change=$2 wanted=$3
api_ready
if ! in_turn "$node" "$change" "$wanted"; then
  say "$node is not in a turn: left as it is"
  result uncordoned false
  exit 0
fi
ours=$(kube "$API" get node "$node" -o jsonpath='{.metadata.annotations.rke2-upgrade/cordoned}')
if [ "$ours" = "$change" ]; then kube "$API" uncordon "$node"; fi
kube "$API" annotate node "$node" rke2-upgrade/cordoned- rke2-upgrade/working- >/dev/null
result uncordoned "$([ "$ours" = "$change" ] && echo true || echo false)"
# end of step
