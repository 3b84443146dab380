#!/usr/bin/env bash
# Lists what etcd holds. Sent after lib.sh; see envelope.sh.

# Every key with the revision that wrote it last, `<key in base64> <revision>`, sorted by bytes; without the short-lived
# kinds (events, leases, masterleases), which change by the second.
etcd_keys() {
  local all kind short=()
  # Fifteen bytes are twenty characters of base64, whatever follows.
  for kind in event lease maste; do short+=(-e "^$(printf '/registry/%s' "$kind" | base64)"); done
  all=$(ETCD_SECONDS=60 etcd_ask /v3/kv/range '{"key":"AA==","range_end":"AA==","keys_only":true}') || return 1
  echo "$all" | grep -o '"key":"[^"]*","create_revision":"[0-9]*","mod_revision":"[0-9]*"' |
    sed 's/"key":"\([^"]*\)".*"mod_revision":"\([0-9]*\)"/\1 \2/' | grep -v "${short[@]}" | LC_ALL=C sort
}
