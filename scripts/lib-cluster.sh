#!/usr/bin/env bash
# What the steps share that ask the cluster from a server. Sent after lib.sh; see envelope.sh.

# This server's own API server: steps run on a server that is not being worked on.
API=127.0.0.1

readyz() {
  local said
  said=$(api /readyz)
  [ "${said##*$'\n'}" = 200 ] || { echo "${said:0:300}" && return 1; }
}

api_ready() {
  until_ok 30 readyz || fail "the API server here does not answer ready: $LAST" "kubectl get --raw '/readyz?verbose' on this server. $(row control-plane)"
}

# One line a node: name|Ready|kubelet version|unschedulable|our mark|our cordon|true where it is a server|the
# round of OS patches that is done with it. A kubelet may write its own node's annotations: escaped as in a URL, no value of
# theirs makes columns, rows or control characters.
NODE_ROW='{{urlquery .metadata.name}}|{{range .status.conditions}}{{if eq .type "Ready"}}{{urlquery .status}}{{end}}{{end}}|{{with .status.nodeInfo.kubeletVersion}}{{urlquery .}}{{end}}|{{with .spec.unschedulable}}{{.}}{{end}}|{{with .metadata.annotations}}{{with index . "rke2-upgrade/working"}}{{urlquery .}}{{end}}|{{with index . "rke2-upgrade/cordoned"}}{{urlquery .}}{{end}}{{else}}|{{end}}|{{with .metadata.labels}}{{with index . "node-role.kubernetes.io/control-plane"}}{{urlquery .}}{{end}}{{end}}|{{with .metadata.annotations}}{{with index . "rke2-upgrade/patched"}}{{urlquery .}}{{end}}{{end}}{{"\n"}}'
nodes_table() { kube "$API" get nodes -o go-template="{{range .items}}$NODE_ROW{{end}}" | sed 's/%2B/+/g'; }

# agreed NAME PATTERN…: NAME fits one of the shell patterns.
agreed() {
  local name=$1 pattern
  shift
  for pattern in "$@"; do
    # shellcheck disable=SC2053 # the right side is a pattern
    if [[ $name == $pattern ]]; then return 0; fi
  done
  return 1
}

# Whether NODE is in its turn: it bears CHANGE's mark, or does not run WANTED yet (somebody may have cleaned the mark
# away). Where WANTED is ACCEPTED the change is a round of OS patches, and not its version but a mark of its own says that it is
# done. No answer is no "no": the step ends. in_turn NODE CHANGE WANTED ACCEPTED
in_turn() {
  local row mark version patched
  row=$(kube "$API" get node "$1" -o jsonpath='{.metadata.annotations.rke2-upgrade/working}|{.status.nodeInfo.kubeletVersion}|{.metadata.annotations.rke2-upgrade/patched}') ||
    fail "cannot read node $1" "see whether the API answers here (kubectl get nodes), then run pulumi up again"
  IFS='|' read -r mark version patched <<<"$row"
  [ "$mark" = "$2" ] || [ "$version" != "$3" ] || { [ "$3" = "$4" ] && [ "$patched" != "$2" ]; }
}

# Cordons NODE and marks it as being worked on and its cordon as ours, in one write: killed at any moment, a rerun finds all
# of it or nothing. A mark without its cordon would look as if somebody had uncordoned the node. mark_cordon NODE CHANGE
mark_cordon() {
  kube "$API" patch node "$1" --type=merge -p "{\"metadata\":{\"annotations\":{\"rke2-upgrade/working\":\"$2\",\"rke2-upgrade/cordoned\":\"$2\"}},\"spec\":{\"unschedulable\":true}}"
}

# Cordons NODE, marked as ours. Refuses a cordon that is somebody else's, and where with NODE more than MAX agents would be
# NotReady or cordoned, whoever did it; a node that is so already takes no further room. All cordons of a change are made on
# one server, and here one after another: no two agents can each count the other as there. cordon_ours NODE CHANGE MAX
cordon_ours() {
  local table away
  exec 9>"$STATE/cordon.lock"
  flock -w 60 9 || fail "another cordon has been at work here for 60 s" "systemctl status 'rke2-upgrade-step*' here; run pulumi up again"
  table=$(nodes_table) || fail "cannot list the nodes" "see whether the API answers here (kubectl get nodes), then run pulumi up again"
  away=$(awk -F'|' '$7 != "true" && ($2 != "True" || $4 == "true") { print $1 }' <<<"$table")
  if ! grep -qxF "$1" <<<"$away" && [ "$(wc -w <<<"$away")" -ge "$3" ]; then
    fail "$1 would be one agent too many: NotReady or cordoned are ${away//$'\n'/ }, and agents.maxUnavailable allows $3 at once" \
      "kubectl get nodes: bring them back, uncordon what needs no cordon, then run pulumi up again; where their turns stand after this one's in the order, set agents.maxUnavailable to what it was when they began"
  fi
  if awk -F'|' -v n="$1" -v c="$2" '$1 == n && $4 == "true" && $6 != c { found = 1 } END { exit !found }' <<<"$table"; then
    fail "$1 was cordoned by somebody else" "find out why; then kubectl uncordon $1"
  fi
  mark_cordon "$1" "$2"
  exec 9>&-
}

# Watches that a condition stays true: one slow answer is no relapse, it must stay false for ten seconds. stays SECONDS
# COMMAND: 1 where it does not, with what COMMAND said in LAST
stays() {
  local deadline=$(($(date +%s) + $1))
  while [ "$(date +%s)" -lt "$deadline" ]; do
    sleep 2
    until_ok 10 "$2" || return 1
  done
}

# Waits at most SECONDS until a condition holds and has stayed so for WATCH: right after a change it may hold from before, and
# then be false for a while. steadily SECONDS WATCH COMMAND
steadily() { until_ok "$1" holds_for "$2" "$3"; }
holds_for() { "$2" && { stays "$1" "$2" || { echo "$LAST" && return 1; }; }; }

# Of FELLOWS, who go together with the node in turn, those that bear CHANGE's mark: they may be down. Space-separated.
# away_with TABLE CHANGE FELLOWS
away_with() { awk -F'|' -v c="$2" -v fellows=" $3 " '$5 == c && index(fellows, " " $1 " ") { print $1 }' <<<"$1" | tr '\n' ' '; }

# Nodes whose lease was not renewed for SECONDS (limits.leaseSeconds), but for those named. stale_leases SECONDS [NODES]
stale_leases() {
  local now name renewed
  now=$(date +%s)
  kube "$API" -n kube-node-lease get leases -o jsonpath='{range .items[*]}{.metadata.name}|{.spec.renewTime}{"\n"}{end}' |
    while IFS='|' read -r name renewed; do
      if [[ " ${2:-} " != *" $name "* ]] && [ $((now - $(date -d "$renewed" +%s))) -gt "$1" ]; then printf '%s ' "$name"; fi
    done
}

# Every etcd member answers, there are as many as servers, none is a learner, there is a leader and no alarm.
# etcd_healthy COUNT [DOWN]: DOWN members may fail to answer (default 0).
etcd_healthy() {
  local members url count=0 down=0 leader alarms
  members=$(etcd_ask /v3/cluster/member/list) || fail "this server's etcd does not answer" "curl http://127.0.0.1:2381/health here; journalctl -u rke2-server. $(row quorum)"
  for url in $(echo "$members" | etcd_peer_urls); do
    count=$((count + 1))
    if ! etcd_peer_version "$url" >/dev/null; then
      down=$((down + 1))
      [ "$down" -le "${2:-0}" ] || fail "the etcd member at $url does not answer" "ssh there: crictl ps -a --name etcd; do not take another server down. $(row quorum)"
    fi
  done
  [ "$count" -eq "$1" ] || fail "etcd has $count members, there are $1 servers" "compare etcd's member list with nodes; a member that is gone must be removed first"
  ! grep -q '"isLearner":true' <<<"$members" || fail "an etcd member is still a learner" "wait until it has caught up, then run pulumi up again"
  leader=$(etcd_ask /v3/maintenance/status | json_value leader)
  [ "${leader:-0}" != 0 ] || fail "etcd has no leader" "wait for the election to end, then run pulumi up again. $(row quorum)"
  # Asked through the quorum: a slow one gives no answer, and no answer is no "none".
  if ! alarms=$(etcd_ask /v3/maintenance/alarm '{"action":"GET"}') || ! grep -q '"header":' <<<"$alarms"; then
    fail "etcd does not say whether it has an alarm" "curl http://127.0.0.1:2381/health here; see whether etcd's disk is slow, then run pulumi up again. $(row quorum)"
  fi
  ! grep -q '"alarm":' <<<"$alarms" || fail "etcd raises an alarm: $alarms" "NOSPACE: compact and defragment; CORRUPT: stop here and restore"
}
