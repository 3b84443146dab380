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

# Runs a command with the proxies of RKE2's unit, where it has any, and where that fails without them: curl before 7.86
# knows no networks in NO_PROXY, and would ask the proxy for a mirror beside it. way_out COMMAND…
way_out() {
  (
    # The other role's unit is there as well, and mostly has no settings.
    for role in agent server; do unit_environment "$role"; done
    # curl takes this one in small letters alone.
    http_proxy=${http_proxy:-${HTTP_PROXY:-}}
    [ -n "$http_proxy${https_proxy:-}${HTTPS_PROXY:-}${all_proxy:-}${ALL_PROXY:-}" ] || exit 1
    export http_proxy
    "$@"
  ) || "$@"
}

# fetch URL FILE. Ten minutes at the most; a stalled transfer ends after a minute.
fetch() {
  until_ok 20 way_out curl -fsSL "${TRUST[@]}" --connect-timeout 10 --max-time 600 --speed-time 60 --speed-limit 1024 -o "$2" "$1" ||
    fail "cannot fetch $1: $LAST" "check from this node: curl -fIL $1, with the proxy of RKE2's unit if it has one; then run pulumi up again"
}
