#!/usr/bin/env bash
# Runs one step on a node so that it is alone, bounded and outlives the connection.
#
# Usage: bash -s -- STEP[@NODE] OWNER LIMIT_SECONDS [ARGUMENT…]   (as root; stdin: HERE=NODE, this file, lib.sh, the
#        step's own file; HERE is this node's name in the stack's config)
#   STEP           the step's name, for messages and the journal
#   NODE           the node that the step is about, where several are worked on at once and this machine is asked for
#                  each: then it is alone among the steps about that node
#   OWNER          UUID of the change's state: who may work on this node (the lock that holds without the API)
#   LIMIT_SECONDS  the step is ended on the node itself after this long
#
# The step runs as the transient unit rke2-upgrade-step[-NODE]: systemd's refusal of a second unit of that name is
# the lock, RuntimeMaxSec the bound, the journal the record. A lost connection does not end it; a rerun waits
# for it here and then runs the step again, which finds its work done.
# All is one function, so that bash has read it whole before it takes the rest of stdin, the step, off its own input.
# Exit: the step's own code; 75 when another change holds this node, or none does and the step takes something down; 124 when a limit was reached.
set -euo pipefail
HERE=${HERE:-$(hostname)}

# Starts the unit, shows its progress, returns its exit code.
run_step() {
  local client tail code=0
  : >"$script.out"
  : >"$script.err"
  systemd-run --quiet --collect --wait --unit="$unit" --description="rke2-upgrade: $step" \
    --property=RuntimeMaxSec="$limit" --property=TimeoutStopSec=5 \
    --property=StandardOutput="file:$script.out" --property=StandardError="file:$script.err" \
    --setenv=HOME=/root --setenv=PATH="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" \
    /bin/bash "$script" "$step" "$@" </dev/null >"$script.client" 2>&1 &
  client=$!
  tail -n +1 -f -s 0.1 --pid="$client" "$script.out" 2>/dev/null &
  tail=$!
  wait "$client" || code=$?
  wait "$tail" || true
  return "$code"
}

# Keeps the step's result line, for the forecast of later runs (observe/durations.ts). Bounded; never a failure. Steps about
# several nodes may end here at once.
remember() {
  local line
  line=$(tail -n 1 "$script.out" | grep '^{"step":' || true)
  [ -n "$line" ] || return 0
  {
    flock -w 5 9 &&
      { tail -n 499 "$state/durations" 2>/dev/null || true; echo "$line"; } >"$state/durations.new" &&
      mv -f "$state/durations.new" "$state/durations"
  } 9>"$state/durations.lock" || true
}

envelope() {
  step=${1%%@*} about=${1#"${1%%@*}"} owner=$2 limit=$3
  shift 3
  # With its suffix: a node's name may end like that of another kind of unit.
  unit=rke2-upgrade-step${about:+-${about#@}}.service
  state=/var/lib/rke2-upgrade
  run=/run/rke2-upgrade
  umask 077
  mkdir -p "$state" "$run"

  held=$(cat "$state/owner" 2>/dev/null || true)
  if [ -n "$held" ] && [ "${held%% *}" != "$owner" ]; then
    cat >/dev/null
    echo "$HERE: $step: held by another change: $held" >&2
    echo "  next: finish or accept that change; only if it is known to be dead, remove $state/owner on every node" >&2
    exit 75
  fi

  # These run in a change's forward turns alone, which the preflight, or the runbook's first steps, have taken every node for.
  # A run that slept while its change was settled or accepted from another machine must not go on with them.
  case $step in
  cordon | drain | patch | reboot | restart)
    if [ -z "$held" ]; then
      cat >/dev/null
      echo "$HERE: $step: no change holds this node: this one was settled or accepted meanwhile, maybe from another machine" >&2
      echo "  next: see where the change stands (pulumi stack history); where it goes on, have the locks taken anew: pulumi state taint URN, with the URN of preflight from pulumi stack --show-urns; then pulumi up" >&2
      exit 75
    fi
    ;;
  esac

  # What is left of stdin is the step. A truncated upload lacks the last line and must not run.
  script=$(mktemp "$run/step.XXXXXXXX")
  {
    echo "HERE=$HERE"
    cat
  } >"$script"
  trap 'rm -f "$script" "$script".*' EXIT
  if [ "$(tail -n 1 "$script")" != "# end of step" ]; then
    echo "$HERE: $step: the script arrived incomplete" >&2
    echo "  next: run pulumi up again" >&2
    exit 1
  fi

  code=0
  run_step "$@" || code=$?
  waited=0
  while [ "$code" -ne 0 ] && grep -q "already loaded\|already exists" "$script.client"; do
    # An earlier run was killed and its step is still at work: it ends by itself, within its own limit.
    if [ "$waited" -ge "$limit" ]; then
      echo "$HERE: $step: another step is still at work after $limit s: $(systemctl show --value -p Description "$unit")" >&2
      echo "  next: look at it with: systemctl status $unit" >&2
      exit 124
    fi
    [ $((waited % 10)) -ne 0 ] || echo "waiting for the step still at work here: $(systemctl show --value -p Description "$unit")"
    sleep 1
    waited=$((waited + 1))
    code=0
    run_step "$@" || code=$?
  done

  cat "$script.err" >&2
  [ "$code" -ne 0 ] || remember
  if [ "$code" -ne 0 ] && [ ! -s "$script.err" ]; then
    cat "$script.client" >&2
    echo "$HERE: $step: ended without a message, most likely by its limit of $limit s" >&2
    echo "  next: read journalctl -u $unit there, then run pulumi up again" >&2
    exit 124
  fi
  exit "$code"
}

envelope "$@"
