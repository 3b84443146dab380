#!/usr/bin/env bash
# After this machine's snapshot: lets RKE2 start here again, as before. One that ended in between is started.
#
# Usage: ROLE
role=$1
unit=rke2-$role.service
free_service "$role"
if [ "$(systemctl show --value -p ActiveState "$unit")" = inactive ] && [ "$(systemctl show --value -p ConditionResult "$unit")" = no ]; then
  say "$unit ended while it was held: starting it"
  systemctl start --no-block "$unit"
fi
result released true
# end of step
