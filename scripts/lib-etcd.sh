#!/usr/bin/env bash
# Moves etcd's leadership, and asks whether a server can be spared. Sent after lib.sh; see envelope.sh.

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

# Whether etcd has a quorum without this server: of its members more than half but this one answer. Else 1, and why.
others_are_a_quorum() {
  local members url up=0
  members=$(etcd_ask /v3/cluster/member/list) || { echo "etcd here does not answer" && return 1; }
  members=$(echo "$members" | etcd_peer_urls)
  for url in $members; do
    if etcd_peer_version "$url" >/dev/null; then up=$((up + 1)); fi
  done
  [ $(((up - 1) * 2)) -gt "$(wc -w <<<"$members")" ] || { echo "$up of $(wc -w <<<"$members") members answer" && return 1; }
}
