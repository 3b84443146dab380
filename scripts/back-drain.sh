#!/usr/bin/env bash
# Drains nodes before they go back, side by side, as far as that can be: bounded, and no failure. Where the API is dead
# there is nobody to ask, and where budgets cannot hold, since every node goes, waiting would only lengthen the outage.
# Once an attempt: run again because its arguments changed, it would empty nodes that are back, and nobody would uncordon
# them.
#
# Usage: ATTEMPT CHANGE UNLESS SECONDS EMPTYDIR BARE NODE…
#   UNLESS          a node that runs this version and bears no mark of a turn is not going anywhere; "" = always drained
#   EMPTYDIR, BARE  whether there are such consents, as in drain.sh: without, pods of that kind stay until RKE2 ends
# shellcheck disable=SC2034 # KUBE_SECONDS is kube's
attempt=$1 change=$2 unless=$3 seconds=$4 emptydir=$5 bare=$6
shift 6
# An API server that is slow, and not dead, must not use up the step's limit: that would end it, and the way back with it.
KUBE_SECONDS=8
begin_attempt "$change" "$attempt"
options=(--ignore-daemonsets "--timeout=${seconds}s" "--grace-period=$seconds")
if [ -n "$emptydir" ]; then options+=(--delete-emptydir-data); fi
if [ -n "$bare" ]; then options+=(--force); fi

# Says how it went with one node; never fails.
drain_one() {
  local name=$1 row unschedulable mark version
  row=$(kube "$API" get node "$name" -o jsonpath='{.spec.unschedulable}|{.metadata.annotations.rke2-upgrade/working}|{.status.nodeInfo.kubeletVersion}' 2>/dev/null) || {
    say "$name: not drained: the API does not know it, or is too slow to say"
    return 0
  }
  IFS='|' read -r unschedulable mark version <<<"$row"
  if [ "$version" = "$unless" ] && [ -z "$mark" ]; then
    say "$name runs $version and was not touched: not drained"
    return 0
  fi
  # Its VM may go back: it is not patched any more then.
  kube "$API" annotate node "$name" rke2-upgrade/patched- >/dev/null 2>&1 || true
  # Somebody else's cordon stays theirs: it is not marked, so it is not taken off after.
  if [ "$unschedulable" != true ]; then
    mark_cordon "$name" "$change" >/dev/null || true
  fi
  if timeout $((seconds + 15)) "$RKE2_DATA/bin/kubectl" --kubeconfig "$KUBECONFIG_FILE" --server "https://$API:6443" \
    drain "$name" "${options[@]}" </dev/null >/dev/null 2>"$STATE/back-drain-$name.err"; then
    say "$name: drained"
  else
    say "$name: not drained after $seconds s, going on: $(grep -v '^WARNING\|^Warning\|^evicting' "$STATE/back-drain-$name.err" | tail -n 1 | cut -c -300 || true)"
  fi
  rm -f "$STATE/back-drain-$name.err"
}

todo=()
for name in "$@"; do
  if was_done "drained-$name"; then
    say "$name: had its drain on this way back: not drained again"
  else
    todo+=("$name")
  fi
done
if [ ${#todo[@]} -eq 0 ]; then
  result asked false
  exit 0
fi
if ! until_ok 10 kube "$API" get --raw /readyz; then
  say "the API server here does not answer: not drained"
  for name in "${todo[@]}"; do now_done "drained-$name"; done
  result asked false
  exit 0
fi
for name in "${todo[@]}"; do drain_one "$name" & done
wait
for name in "${todo[@]}"; do now_done "drained-$name"; done
result asked true nodes ${#todo[@]}
# end of step
