#!/usr/bin/env bash
# Drains NODE through the eviction API, budgets honoured (procedure §3.3.2: grace 120 s, timeout 300 s; §3.3.4 for
# the GPU node: 300 s, 600 s). Pods that the drain would hurt need the operator's consent, by name.
#
# Usage: NODE CHANGE WANTED ACCEPTED GRACE TIMEOUT EMPTYDIR BARE LONGGRACE [MAX FELLOWS]
#   EMPTYDIR, BARE, LONGGRACE  space-separated patterns namespace/name whose pods may lose their emptyDir, have no
#   controller to bring them back, or ask for a longer grace than GRACE
#   MAX  how many agents may be NotReady or cordoned at once (default 1); FELLOWS  who may be in their turn meanwhile
node=$1 change=$2 wanted=$3 accepted=$4 grace=$5 timeout=$6 emptydir=$7 bare=$8 longgrace=$9 max=${10:-1} fellows=${11:-}
keep_drained "$change" "$node"
api_ready
if ! in_turn "$node" "$change" "$wanted" "$accepted"; then
  say "$node is not in a turn: not drained"
  result_drained
  exit 0
fi

# shellcheck disable=SC2016 # Go templates hold dollar signs
# One line a pod that a drain evicts: namespace/name|controller kind|has an emptyDir|grace|labels, "key=value," each. To a
# template `emptyDir: {}`, the usual one, is as good as none: its text is asked.
pods_to_evict() {
  kube "$API" get pods -A --field-selector "spec.nodeName=$node" -o go-template='{{range .items}}{{$p := .}}{{$kind := ""}}{{range .metadata.ownerReferences}}{{if .controller}}{{$kind = .kind}}{{end}}{{end}}{{$empty := false}}{{range .spec.volumes}}{{if ne (printf "%v" .emptyDir) "<nil>"}}{{$empty = true}}{{end}}{{end}}{{if and (ne $kind "DaemonSet") (ne $kind "Node") (ne .status.phase "Succeeded") (ne .status.phase "Failed")}}{{.metadata.namespace}}/{{.metadata.name}}|{{$kind}}|{{$empty}}|{{.spec.terminationGracePeriodSeconds}}|{{range $k, $v := .metadata.labels}}{{$k}}={{$v}},{{end}}{{"\n"}}{{end}}{{end}}'
}

set -f # the consents are patterns for pods, not for files
pods=$(pods_to_evict) || fail "cannot list the pods on $node" "see whether the API answers here, then run pulumi up again"
refused="" count=0
while IFS='|' read -r pod kind empty own _; do
  [ -n "$pod" ] || continue
  count=$((count + 1))
  # shellcheck disable=SC2086 # the lists are space-separated
  {
    [ "$empty" != true ] || agreed "$pod" $emptydir || refused="$refused $pod (loses its emptyDir: consents.emptyDir)"
    [ -n "$kind" ] || agreed "$pod" $bare || refused="$refused $pod (no controller brings it back: consents.barePods)"
    [ "$own" -le "$grace" ] || agreed "$pod" $longgrace || refused="$refused $pod (wants $own s to end, gets $grace: consents.longGrace)"
  }
done <<<"$pods"
[ -z "$refused" ] || fail "pods on $node that the drain would hurt:$refused" "name them in consents, or move them away; then run pulumi up again"

# Here too, not in the step before alone: somebody may have uncordoned the node since.
cordon_ours "$node" "$change" "$max"
keep_headroom "$(cut -d'|' -f1,5 <<<"$pods")"
say "draining $node: $count pods"
concerns=$STATE/drain-$node.concerns errors=$STATE/drain-$node.err
# What is concerning meanwhile (§4.1) is said at once and stands in the failure's message; the drain goes on.
: >"$concerns"
while sleep 5; do
  # shellcheck disable=SC2034 # read by calm
  [ -z "$fellows" ] || AWAY=$(away_with "$(nodes_table || true)" "$change" "$fellows")
  if ! calm "$node" >>"$concerns"; then say "concerning: $(tail -n 1 "$concerns")"; fi
done &
watcher=$!
if ! timeout "$((timeout + 15))" "$RKE2_DATA/bin/kubectl" --kubeconfig "$KUBECONFIG_FILE" --server "https://$API:6443" \
  drain "$node" --ignore-daemonsets --delete-emptydir-data --force --grace-period="$grace" --timeout="${timeout}s" </dev/null 2>"$errors" | tee -a "$EVICTED"; then
  kill "$watcher" 2>/dev/null || true
  left=$(pods_to_evict | cut -d'|' -f1 | tr '\n' ' ' || true)
  budgets=$(kube "$API" get pdb -A -o go-template='{{range .items}}{{if eq (printf "%v" .status.disruptionsAllowed) "0"}}{{.metadata.namespace}}/{{.metadata.name}} {{end}}{{end}}' || true)
  fail "$node is not drained after $timeout s; still there: ${left:-nothing} ; budgets that allow no disruption: ${budgets:-none}; kubectl: $(grep -v "^WARNING\|^Warning\|^evicting" "$errors" | tail -n 2 | tr '\n' ' ' | cut -c -400)$(sed 's/^/; meanwhile: /' "$concerns" | tail -n 1)" \
    "give the budget room (more replicas or ready pods: kubectl describe pdb), then run pulumi up again; $node stays cordoned, marked as ours. $(row reschedule)"
fi
kill "$watcher" 2>/dev/null || true
result_drained
# end of step
