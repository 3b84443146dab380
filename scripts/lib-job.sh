#!/usr/bin/env bash
# Runs a Job of ours to its end and takes it away. Sent after lib-cluster.sh; see envelope.sh.

# Takes the Job away, whatever became of it; refuses one that is not ours. clear_job NAMESPACE NAME CHANGE
clear_job() {
  local said
  said=$(kube "$API" -n "$1" get job "$2" --ignore-not-found -o jsonpath='there|{.metadata.annotations.rke2-upgrade/change}') ||
    fail "cannot read job $1/$2" "see whether the API answers here (kubectl get nodes), then run pulumi up again"
  [ -n "$said" ] || return 0
  [ "${said#*|}" = "$3" ] || fail "job $1/$2 is there and not this change's" "find out whose it is and delete it, then run pulumi up again"
  kube "$API" -n "$1" delete job "$2" --ignore-not-found --cascade=foreground --wait=false >/dev/null
  until_ok 60 job_gone "$1" "$2" || fail "job $1/$2 does not go: $LAST" "kubectl -n $1 describe job $2; kubectl -n $1 get pods -l job-name=$2"
}

job_gone() {
  local left
  left=$(kube "$API" -n "$1" get job "$2" --ignore-not-found -o name && kube "$API" -n "$1" get pods -l "job-name=$2" -o name) || return 1
  [ -z "$left" ] || { echo "${left//$'\n'/ }" && return 1; }
}

# It has ended, and how, on stdout; or what its pod waits for. job_ended NAMESPACE NAME
job_ended() {
  local how
  how=$(kube "$API" -n "$1" get job "$2" -o jsonpath='{range .status.conditions[?(@.status=="True")]}{.type}|{.reason}: {.message}{"\n"}{end}' | grep -E '^(Complete|Failed)\|') && echo "$how" && return 0
  kube "$API" -n "$1" get pods -l "job-name=$2" -o jsonpath='{range .items[*]}{.status.phase} {.status.conditions[?(@.type=="PodScheduled")].message} {.status.containerStatuses[*].state.waiting.reason} {.status.containerStatuses[*].state.waiting.message}{end}' | tr -s ' \n' ' ' | cut -c -300
  return 1
}

# Runs it, bounded. A failed one stays to be looked into, until the rerun or its own time to live takes it away.
# run_job NAMESPACE NAME SECONDS CHANGE MANIFEST NEXT
run_job() {
  local log code
  clear_job "$1" "$2" "$4"
  printf '%s\n' "$5" >"$STATE/$2.json"
  kube "$API" create -f "$STATE/$2.json" >/dev/null || fail "job $1/$2 cannot be made" "see what the API says above (namespace, Pod Security, RuntimeClass), then run pulumi up again"
  if until_ok "$3" job_ended "$1" "$2" && [ "${LAST%%|*}" = Complete ]; then
    clear_job "$1" "$2" "$4"
    rm -f "$STATE/$2.json"
    return 0
  fi
  log=$(kube "$API" -n "$1" logs -l "job-name=$2" --tail=5 2>&1 | tr '\n' ' ' | cut -c -400 || true)
  code=$(kube "$API" -n "$1" get pods -l "job-name=$2" -o jsonpath='{.items[*].status.containerStatuses[*].state.terminated.exitCode}' || true)
  fail "job $1/$2 did not complete within $3 s: ${LAST//|/ }; exit code: ${code:-none}; its log ends: ${log:-(empty)}" "kubectl -n $1 describe job $2; $6"
}
