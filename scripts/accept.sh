#!/usr/bin/env bash
# Proves that every node of the cluster lives on WANTED, before the way back is let go.
#
# Usage: WANTED SERVERS LEASE_SECONDS NODE…
#   LEASE_SECONDS  a lease not renewed for longer than this is stale
wanted=$1 servers=$2 lease_seconds=$3
shift 3
api_ready
for name in "$@"; do
  row=$(nodes_table | awk -F'|' -v n="$name" '$1 == n { print $2 "|" $3 "|" $5 "|" $6 }')
  [ "$row" = "True|$wanted||" ] || fail "$name is Ready|version|working|cordoned = ${row:-absent}, wanted True|$wanted||" \
    "nothing was let go: set acceptedVersion back, and finish the change with pulumi up"
done
stale=$(stale_leases "$lease_seconds")
[ -z "$stale" ] || fail "no lease renewed for over $lease_seconds s: $stale" "nothing was let go; restart rke2 on those nodes and run pulumi up again"
etcd_healthy "$servers"
result version "$wanted" nodes $#
# end of step
