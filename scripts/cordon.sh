#!/usr/bin/env bash
# Cordons NODE and marks the cordon as ours, so that only ours is ever removed.
#
# Usage: NODE CHANGE WANTED
node=$1 change=$2 wanted=$3
api_ready
if ! in_turn "$node" "$change" "$wanted"; then
  say "$node is not in a turn: left as it is"
  result cordoned false
  exit 0
fi
mark_cordon "$node" "$change"
kube "$API" cordon "$node"
result cordoned true
# end of step
