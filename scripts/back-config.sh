#!/usr/bin/env bash
# Puts this node's RKE2 configuration back as backup-config.sh kept it before the change (procedure §4.3).
#
# Usage: ATTEMPT CHANGE
attempt=$1 change=$2
begin_attempt "$change" "$attempt"
put_config_back "$change"
result restored "$RESTORED"
# end of step
