#!/usr/bin/env bash
# Ends NODE's turn: takes our cordon off, never somebody else's, and then our marks.
#
# Usage: NODE CHANGE WANTED ACCEPTED [in-its-turn]
#   in-its-turn  the turn goes on: the mark of it stays
node=$1 change=$2 wanted=$3 accepted=$4 goes_on=${5:-}
api_ready
if ! in_turn "$node" "$change" "$wanted" "$accepted"; then
  say "$node is not in a turn: left as it is"
  result uncordoned false
  exit 0
fi
# A round of OS patches is done with it. Told first: our cordon may come off from here on, wherever this is killed.
if [ "$wanted" = "$accepted" ]; then kube "$API" annotate node "$node" --overwrite "rke2-upgrade/patched=$change" >/dev/null; fi
ours=$(kube "$API" get node "$node" -o jsonpath='{.metadata.annotations.rke2-upgrade/cordoned}')
if [ "$ours" = "$change" ]; then kube "$API" uncordon "$node"; fi
marks=(rke2-upgrade/cordoned-)
[ -n "$goes_on" ] || marks+=(rke2-upgrade/working-)
kube "$API" annotate node "$node" "${marks[@]}" >/dev/null
result uncordoned "$([ "$ours" = "$change" ] && echo true || echo false)"
# end of step
