#!/usr/bin/env bash
# Moves etcd's leadership off this server before its machine is paused for a snapshot, and has the machine that
# the snapshot holds come up with RKE2 at rest; release-hold.sh lets this one go.
#
# Usage: ROLE
role=$1
leader_away
hold_service "$role" snapshot
result leader "$(etcd_ask /v3/maintenance/status | json_value leader || echo unknown)"
# end of step
