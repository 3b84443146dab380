#!/usr/bin/env bash
# Cordons NODE and marks the cordon as ours, so that only ours is ever removed.
#
# Usage: NODE CHANGE WANTED ACCEPTED [MAX]
#   MAX  how many agents may be NotReady or cordoned at once, NODE counted (default 1)
node=$1 change=$2 wanted=$3 accepted=$4 max=${5:-1}
api_ready
if ! in_turn "$node" "$change" "$wanted" "$accepted"; then
  say "$node is not in a turn: left as it is"
  result cordoned false
  exit 0
fi
cordon_ours "$node" "$change" "$max"
result cordoned true
# end of step
