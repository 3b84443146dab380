#!/usr/bin/env bash
# Ends NODE's turn: takes our cordon off, never somebody else's, and then our marks.
#
# Usage: NODE CHANGE WANTED ACCEPTED [in-its-turn [SECONDS]]
#   in-its-turn  the turn goes on: the mark of it stays
#   SECONDS      NODE has GPUs: how long what used them before may take to run again (lib-gpu.sh)
# shellcheck disable=SC2317 # gpu_workloads_run is called by until_ok
node=$1 change=$2 wanted=$3 accepted=$4 goes_on=${5:-} seconds=${6:-}
api_ready
if ! in_turn "$node" "$change" "$wanted" "$accepted"; then
  say "$node is not in a turn: left as it is"
  result uncordoned false
  exit 0
fi
# A round of OS patches is done with it. Told first: our cordon may come off from here on, wherever this is killed.
if [ "$wanted" = "$accepted" ]; then kube "$API" annotate node "$node" --overwrite "rke2-upgrade/patched=$change" >/dev/null; fi
ours=$(kube "$API" get node "$node" -o jsonpath='{.metadata.annotations.rke2-upgrade/cordoned}')
if [ "$ours" = "$change" ]; then
  kube "$API" uncordon "$node"
  # Ours no more: a cordon that somebody sets from now on stays.
  kube "$API" annotate node "$node" rke2-upgrade/cordoned- >/dev/null
fi
if [ -n "$seconds" ]; then
  keep_gpu "$change" "$node"
  if [ -e "$GPU.workloads" ]; then
    until_ok "$seconds" gpu_workloads_run || fail "after $seconds s what used a GPU of $node before its turn does not run again: $LAST" \
      "kubectl get pods,events in its namespace; start it, or end what is not wanted any more (scale it to 0, delete the job), then run pulumi up again; $node is uncordoned. $(row reschedule)"
    left_to_people | sed 's/^/used a GPU before: /'
    # Over: what runs there before a later turn is another list.
    rm -f "$GPU.workloads"
  fi
fi
if [ -z "$goes_on" ]; then kube "$API" annotate node "$node" rke2-upgrade/cordoned- rke2-upgrade/working- >/dev/null; fi
result uncordoned "$([ "$ours" = "$change" ] && echo true || echo false)"
# end of step
