#!/usr/bin/env bash
# Asks this server's own API server with curl, as procedure §4.1 measures it: a kubectl for each question would take
# more time than the answers do. Sent after lib.sh.

# api PATH [CURL OPTION…]: the body, then the HTTP status on a line of its own; -w says otherwise. curl's own name would have the answer
# indented.
api() {
  local path=$1
  shift
  curl -sS -A rke2-upgrade --max-time 8 --cacert "$RKE2_DATA/server/tls/server-ca.crt" \
    --cert "$RKE2_DATA/server/tls/client-admin.crt" --key "$RKE2_DATA/server/tls/client-admin.key" \
    -w '\n%{http_code}' "$@" "https://127.0.0.1:6443$path" </dev/null 2>&1
}
