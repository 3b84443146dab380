#!/usr/bin/env bash
# Moves etcd's leadership. Sent after lib.sh; see envelope.sh.

# Hands leadership to another voting member if this one leads; a lone member keeps it.
leader_away() {
  local status own leader members target
  status=$(etcd_ask /v3/maintenance/status) || {
    say "etcd here does not answer: no leadership to move"
    return 0
  }
  own=$(echo "$status" | json_value member_id)
  leader=$(echo "$status" | json_value leader)
  if [ "$own" != "$leader" ]; then return 0; fi
  members=$(etcd_ask /v3/cluster/member/list)
  for target in $(echo "$members" | sed 's/},{/}\n{/g' | grep -v '"isLearner":true' | grep '"name":' | grep -o '"ID":"[0-9]*' | grep -o '[0-9]*$'); do
    if [ "$target" != "$own" ] && etcd_ask /v3/maintenance/transfer-leadership "{\"targetID\":\"$target\"}" >/dev/null; then
      say "moved etcd's leadership to member $target"
      return 0
    fi
  done
  say "etcd's leadership stays here: no other member took it"
}
