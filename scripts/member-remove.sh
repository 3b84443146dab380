#!/usr/bin/env bash
# Removes NODE's member from etcd, asked on a healthy server, so that NODE can join anew with no data.
#
# Usage: ATTEMPT CHANGE NODE ADDRESS SERVERS
#   ADDRESS  NODE's InternalIP: a member that never started has no name yet
attempt=$1 change=$2 node=$3 address=$4 servers=$5
begin_attempt "$change" "$attempt"
if was_done "removed-$node"; then
  say "done before in this attempt: a member of $node there is now has joined since"
  result removed false
  exit 0
fi
members=$(etcd_ask /v3/cluster/member/list) || fail "this server's etcd does not answer" "curl http://127.0.0.1:2381/health here; without a quorum: goBack.strategy restore, without nodes"
# RKE2 names a member after its node, with eight hexadecimal digits.
its="\"name\":\"${node//./\\.}-[0-9a-f]{8}\"|//${address//./\\.}:2380\""
members=${members//'},{'/$'}\n{'}
own=$(grep -E "$its" <<<"$members" || true)
others=$(grep -vE "$its" <<<"$members" | etcd_peer_urls || true)
[ "$(wc -w <<<"$others")" -eq $((servers - 1)) ] || fail "etcd lists $(wc -w <<<"$others") members beside $node, there are $((servers - 1)) other servers" "compare etcd's member list with nodes: nothing was removed"
for url in $others; do
  etcd_peer_version "$url" >/dev/null || fail "the member at $url does not answer" "every other server must be well before one is taken out: mend it, or goBack.strategy restore without nodes"
done
while read -r id; do
  say "removing member $id ($node)"
  etcd_ask /v3/cluster/member/remove "{\"ID\":\"$id\"}" >/dev/null || fail "etcd does not remove member $id" "crictl logs of etcd on this server; a majority of members must answer"
done < <(grep -o '"ID":"[0-9]*' <<<"$own" | grep -o '[0-9]*$' || true)
left=$(etcd_ask /v3/cluster/member/list) || fail "this server's etcd no longer answers" "curl http://127.0.0.1:2381/health here; run pulumi up again"
! grep -qE "$its" <<<"$left" || fail "a member of $node is still listed" "run pulumi up again"
now_done "removed-$node"
result removed "$([ -n "$own" ] && echo true || echo false)"
# end of step
