#!/usr/bin/env bash
# This node is back: takes away what only the way back needed. The config file, the data moved aside and the release
# files stay until the change is settled.
#
# Usage: ATTEMPT CHANGE ROLE
attempt=$1 change=$2 role=$3
begin_attempt "$change" "$attempt"
free_service "$role"
remove_join
rm -rf "$STATE/restore"
now_done finished
result finished true
# end of step
