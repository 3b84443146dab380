#!/usr/bin/env bash
# The values that procedure §4.1 has watched during an upgrade. Sent before lib-cluster.sh; see envelope.sh.

# When something was seen, for the message.
at() { date -u +%H:%M:%SZ; }

# milliseconds CURL-ARGUMENT…: how long a good answer took; where none comes, as long as one is waited for.
milliseconds() {
  local seconds
  seconds=$(curl -sf --noproxy '*' -o /dev/null --max-time 10 -w '%{time_total}' "$@" </dev/null) || seconds=10
  awk '{ printf "%d", $1 * 1000 }' <<<"$seconds"
}

# Controllers that get no new pods, namespace/name each: a webhook that is away, a quota, a template that is refused. None of
# their pods is there to ail. What only waits is not meant: a StatefulSet for its last pod, a Recreate for the old ones. The
# ReplicaSets of Deployments are left out by their label: the Deployment says the same.
lacking_pods() {
  kube "$API" get deployments,replicasets,statefulsets,daemonsets -A -l '!pod-template-hash' -o jsonpath='{range .items[*]}{.kind}|{.metadata.namespace}/{.metadata.name}|{.spec.replicas}|{.status.replicas}|{.status.availableReplicas}|{.status.desiredNumberScheduled}|{.status.currentNumberScheduled}|{.status.conditions[?(@.type=="ReplicaFailure")].status}{"\n"}{end}' |
    awk -F'|' '$8 == "True" || $6 + 0 > $7 + 0 || ($1 == "StatefulSet" && $3 + 0 > $4 + 0 && $4 + 0 == $5 + 0) { print $2 }'
}

# One line a pod that ails: namespace/owner reason. The owner, since a pod that moved has another name. A container that
# ended badly after it had been restarted crashes, whether the kubelet says CrashLoopBackOff yet or not. Chart jobs are
# judged apart (charts-settled.sh): they crash between servers by design. A pod without a place ails where WITH_PENDING is
# given. Beside them controllers that get no new pods; but not where a pod without a place, which does not count, may be why:
# a webhook that can run there alone. sick_pods NODES [WITH_PENDING]: those on NODES, which are in their turn, are not counted.
# shellcheck disable=SC2016 # Go templates hold dollar signs
sick_pods() {
  local pods
  pods=$(kube "$API" get pods -A -o go-template='{{range .items}}{{$owner := .metadata.name}}{{range .metadata.ownerReferences}}{{$owner = .name}}{{end}}{{$why := ""}}{{$phase := .status.phase}}{{range .status.containerStatuses}}{{if .state.waiting}}{{if eq (printf "%v" .state.waiting.reason) "CrashLoopBackOff"}}{{$why = "crashes"}}{{end}}{{end}}{{if .state.terminated}}{{if and (ne (printf "%v" .state.terminated.exitCode) "0") (ne (printf "%v" .restartCount) "0") (ne $phase "Failed")}}{{$why = "crashes"}}{{end}}{{end}}{{end}}{{range .status.conditions}}{{if and (eq .type "PodScheduled") (eq .status "False")}}{{$why = "Pending"}}{{end}}{{end}}{{if $why}}{{.metadata.namespace}}/{{$owner}} {{$why}} {{.spec.nodeName}}{{"\n"}}{{end}}{{end}}') || return 1
  {
    awk -v nodes=" $1 " -v pending="${2:-}" 'NF && ($3 == "" || !index(nodes, " " $3 " ")) && $1 !~ /^kube-system\/helm-install-/ && ($2 != "Pending" || pending) { print $1, $2 }' <<<"$pods"
    if [ -n "${2:-}" ] || ! grep -q ' Pending ' <<<"$pods"; then lacking_pods | sed 's/$/ gets no new pods (events: FailedCreate)/'; fi
  } | sort -u
}

# Keeps which pods ail before NODE's turn. remember_sick NODE
remember_sick() { sick_pods "$1" with-pending >"$STATE/sick-before-$1"; }

# The API gives a good answer in time, or what it took and when, on stdout: concerning from 2 s on (§4.1).
api_prompt() {
  local ms
  ms=$(milliseconds -A rke2-upgrade --cacert "$RKE2_DATA/server/tls/server-ca.crt" --cert "$RKE2_DATA/server/tls/client-admin.crt" \
    --key "$RKE2_DATA/server/tls/client-admin.key" https://127.0.0.1:6443/readyz)
  [ "$ms" -lt 2000 ] || { echo "the API took $ms ms or gave no good answer at $(at); below 500 is expected, 2000 concerning (§4.1). $(row control-plane)" && return 1; }
}

# Nothing of §4.1 is concerning, or what is, with value and time, on stdout: the API from 2 s on, etcd from RKE2's
# heartbeat on, pods that ail and did not before NODE's turn, those on AWAY left out: its fellows that are in their turn.
# calm NODE [WITH_PENDING]
AWAY=""
calm() {
  local ms now new
  api_prompt || return 1
  ms=$(milliseconds http://127.0.0.1:2381/health)
  [ "$ms" -lt 500 ] || { echo "etcd took $ms ms for a read or gave no good answer at $(at); RKE2's heartbeat is 500 (§4.1). $(row quorum)" && return 1; }
  now=$(sick_pods "$1 $AWAY" "${2:-}") || { echo "cannot list the pods at $(at)" && return 1; }
  new=$(comm -13 <(sort -u "$STATE/sick-before-$1" 2>/dev/null || true) <(sort -u <<<"$now") | sed '/^$/d')
  [ -z "$new" ] || { echo "pods that were well before, at $(at): ${new//$'\n'/, } (§4.1). $(row reschedule)" && return 1; }
}

# Sustained high CPU or memory (§4.1) on this server, by the kernel's own five-minute means of how long tasks waited for
# either (PSI): processor above 90 %, memory above 10 % of the time. Told with value and time, not judged: what an upgrade
# asks for itself is a strain too. Nothing is said where the kernel does not measure it.
PRESSURE=/proc/pressure
strain() {
  local cpu memory
  cpu=$(awk '$1 == "some" { sub("avg300=", "", $4); print $4 }' "$PRESSURE/cpu" 2>/dev/null) || return 0
  memory=$(awk '$1 == "some" { sub("avg300=", "", $4); print $4 }' "$PRESSURE/memory" 2>/dev/null) || return 0
  awk -v cpu="${cpu:-0}" -v memory="${memory:-0}" -v at="$(at)" -v host="$HERE" 'BEGIN {
    if (cpu > 90) printf "%s: tasks waited for a processor %s %% of the last 5 min, at %s (§4.1: sustained high CPU). next: top on it\n", host, cpu, at
    if (memory > 10) printf "%s: tasks waited for memory %s %% of the last 5 min, at %s (§4.1: sustained high memory). next: top on it; move pods away\n", host, memory, at }'
}
