#!/usr/bin/env bash
# Proves that every node of the cluster lives on WANTED, before the way back is let go.
#
# Usage: WANTED SERVERS NODE…
wanted=$1 servers=$2
shift 2
api_ready
for name in "$@"; do
  row=$(nodes_table | awk -F'|' -v n="$name" '$1 == n { print $2 "|" $3 "|" $5 "|" $6 }')
  [ "$row" = "True|$wanted||" ] || fail "$name is Ready|version|working|cordoned = ${row:-absent}, wanted True|$wanted||" \
    "nothing was let go: set acceptedVersion back, and finish the change with pulumi up"
done
stale=$(stale_leases)
[ -z "$stale" ] || fail "no lease renewed for over 40 s: $stale" "nothing was let go; restart rke2 on those nodes and run pulumi up again"
etcd_healthy "$servers"
result version "$wanted" nodes $#
# end of step
