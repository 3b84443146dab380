#!/usr/bin/env bash
# Cordons NODE and marks the cordon as ours, so that only ours is ever removed.
#
# Usage: NODE CHANGE
node=$1 change=$2
api_ready
if ! in_turn "$node" "$change"; then
  say "$node is not in a turn: left as it is"
  result cordoned false
  exit 0
fi
# The mark goes first: killed in between, a rerun still knows that the cordon is its own.
kube "$API" annotate node "$node" --overwrite "rke2-upgrade/cordoned=$change" >/dev/null
kube "$API" cordon "$node"
result cordoned true
# end of step
