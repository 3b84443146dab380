#!/usr/bin/env bash
# Reads this server's own etcd member; changes nothing. Lines of name<TAB>JSON.
#
# Usage: REVISION   (after lib.sh)
#   REVISION  the revision up to which the data is hashed, the same for all members; 0 = this member's newest
revision=$1
printf 'status\t%s\n' "$(etcd_ask /v3/maintenance/status || true)"
printf 'members\t%s\n' "$(etcd_ask /v3/cluster/member/list || true)"
printf 'hash\t%s\n' "$(etcd_ask /v3/maintenance/hashkv "{\"revision\":\"$revision\"}" || true)"
printf 'alarms\t%s\n' "$(etcd_ask /v3/maintenance/alarm '{"action":"GET"}' || true)"
# end of step
