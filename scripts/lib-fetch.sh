#!/usr/bin/env bash
# Downloads to this node, bounded, from servers that are known. Sent after lib.sh.

# trust CA: certificates that vouch for the servers, as PEM text; "" = the system's own.
TRUST=()
trust() {
  if [ -z "$1" ]; then return 0; fi
  mkdir -p "$STATE/artifacts"
  printf '%s\n' "$1" >"$STATE/artifacts/ca.pem"
  TRUST=(--cacert "$STATE/artifacts/ca.pem")
}

# fetch URL FILE. Ten minutes at the most; a stalled transfer ends after a minute.
fetch() {
  until_ok 20 curl -fsSL "${TRUST[@]}" --connect-timeout 10 --max-time 600 --speed-time 60 --speed-limit 1024 -o "$2" "$1" ||
    fail "cannot fetch $1: $LAST" "check from this node: curl -fIL $1; then run pulumi up again"
}
